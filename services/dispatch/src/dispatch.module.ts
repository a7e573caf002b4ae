import type { EventLog } from '@assent/event-log';
import { AddressKeys, parsePeppers, PHONE_METADATA_VERSION } from '@assent/identity';
import { type Barrier, Checkpoints, type Projector } from '@assent/projection';
import { assertTimeZoneData, SEND_RULES_VERSIONS } from '@assent/send-rules';
import {
  Appender,
  barrierProvider,
  batchConsumers,
  type Clock,
  CLOCK,
  ClockCheck,
  DB,
  EVENT_LOG,
  LOGGER,
  METRICS_REGISTRY,
  NEW_ID,
  type NewId,
  OptOutPropagation,
  optOutPropagation,
  projectorProvider,
  RUNTIME_CONFIG,
} from '@assent/service-runtime';
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { ActivateRuleSetController } from './activate-rule-set/activate-rule-set.controller.ts';
import { blackoutFold } from './blackouts/blackout.projection.ts';
import { WhatsappClient } from './call-whatsapp/whatsapp-client.ts';
import { CancelDispatchHandler } from './cancel-dispatch/cancel-dispatch.command.ts';
import { CancelDispatchController } from './cancel-dispatch/cancel-dispatch.controller.ts';
import { CancelDispatches } from './cancel-dispatches-when-consent-is-withdrawn/cancel-dispatches.ts';
import { Claims } from './claims/claims.ts';
import type { DispatchConfig } from './config.ts';
import { DecideDispatchController } from './decide-dispatch/decide-dispatch.controller.ts';
import { DecideDispatchHandler } from './decide-dispatch/decide-dispatch.query.ts';
import { DeclareBlackoutController } from './declare-blackout/declare-blackout.controller.ts';
import { DeclareHolidayController } from './declare-holiday/declare-holiday.controller.ts';
import { dispatchFold } from './dispatch-ledger/dispatch.projection.ts';
import { PolicyWrites } from './dispatch-ledger/policy-writes.ts';
import { DispatchStreamsConsumer } from './dispatch-streams.consumer.ts';
import type { GateVersions } from './gate/gate-inputs.ts';
import { GateReader } from './gate/gate-reader.ts';
import { holidayFold } from './holidays/holiday.projection.ts';
import { ListConsentsDueSoonController } from './list-consents-due-soon/list-consents-due-soon.controller.ts';
import { ListConsentsDueSoonHandler } from './list-consents-due-soon/list-consents-due-soon.query.ts';
import { INPUT_CHANGES, LookAgain } from './look-again-when-inputs-change/look-again.ts';
import { PublishRuleSetController } from './publish-rule-set/publish-rule-set.controller.ts';
import { purposeFold } from './purposes/purpose.projection.ts';
import { Reactions } from './reactions/reactions.ts';
import { addressCausesFold } from './recipients/address-causes.projection.ts';
import { addressFold } from './recipients/address.projection.ts';
import { heldSenderFold } from './recipients/held-sender.projection.ts';
import { providerStopFold } from './recipients/provider-stop.projection.ts';
import { recipientFold } from './recipients/recipient.projection.ts';
import { RecipientLookup } from './recipients/recipient-lookup.ts';
import { RecordStatus } from './record-status-when-whatsapp-reports/record-status.ts';
import { RegisterSenderController } from './register-sender/register-sender.controller.ts';
import { RegisterTemplateController } from './register-template/register-template.controller.ts';
import { RequestDispatchHandler } from './request-dispatch/request-dispatch.command.ts';
import { RequestDispatchController } from './request-dispatch/request-dispatch.controller.ts';
import { WeighRequest } from './request-dispatch/weigh-request.ts';
import { RequestKeysController } from './request-keys/request-keys.controller.ts';
import { RequestKeys } from './request-keys/request-keys.ts';
import { ruleSetFold } from './rule-sets/rule-set.projection.ts';
import { SealedFields } from './sealed-fields/sealed-fields.ts';
import { SearchDispatchesController } from './search-dispatches/search-dispatches.controller.ts';
import { FindDispatchHandler, SearchDispatchesHandler } from './search-dispatches/search-dispatches.query.ts';
import { DispatchMetrics } from './send-due-dispatches/dispatch-metrics.ts';
import { OpenDispatch } from './send-due-dispatches/open-dispatch.ts';
import { SendDispatch } from './send-due-dispatches/send-dispatch.ts';
import { SEND_LOOP_READER, SendLoop } from './send-due-dispatches/send-loop.ts';
import { SendOptInAsk } from './send-opt-in-ask-when-consent-is-requested/send-opt-in-ask.ts';
import { SendReceipt } from './send-receipt-when-consent-is-withdrawn/send-receipt.ts';
import { SenderRates } from './sender-rate/sender-rate.ts';
import { senderFold } from './senders/sender.projection.ts';
import { sendingHistoryFold } from './sending-history/sending-history.projection.ts';
import { ShadowReportController } from './shadow-report/shadow-report.controller.ts';
import { shadowTallyFold } from './shadow-report/shadow-tally.projection.ts';
import { SignOffRuleSetController } from './sign-off-rule-set/sign-off-rule-set.controller.ts';
import { TakeRequest } from './take-requests-from-topic/take-request.ts';
import { templateFold } from './templates/template.projection.ts';
import { BARRIER, DISPATCH_PROJECTOR, GATE_VERSIONS } from './tokens.ts';

const readModels = projectorProvider(DISPATCH_PROJECTOR, {
  projection: 'dispatch.read-models.v1',
  folds: [
    recipientFold,
    addressFold,
    heldSenderFold,
    addressCausesFold,
    providerStopFold,
    purposeFold,
    senderFold,
    templateFold,
    ruleSetFold,
    blackoutFold,
    holidayFold,
    dispatchFold,
    sendingHistoryFold,
    shadowTallyFold,
  ],
});

const reactions = {
  provide: Reactions,
  inject: [DB, Appender, RecipientLookup, Claims, SealedFields, RequestKeys],
  useFactory: (
    db: Connection,
    appender: Appender,
    recipients: RecipientLookup,
    claims: Claims,
    sealed: SealedFields,
    keys: RequestKeys,
  ) =>
    new Reactions({
      db,
      appender,
      refuseUnreadable: (record, error) => TakeRequest.refuseUnreadable(record, error),
      reactions: [
        new SendOptInAsk(),
        new SendReceipt({ db, recipients }),
        new CancelDispatches({ db, claims, recipients }),
        new RecordStatus(),
        new TakeRequest({ db, recipients, sealed, keys }),
        ...INPUT_CHANGES.map((type) => new LookAgain(type, { db })),
      ],
    }),
};

const gate = [
  barrierProvider(BARRIER, DISPATCH_PROJECTOR),
  {
    provide: GATE_VERSIONS,
    useFactory: (): GateVersions => ({
      phoneMetadata: `${PHONE_METADATA_VERSION};${SEND_RULES_VERSIONS.phoneData}`,
      tzdb: SEND_RULES_VERSIONS.tzdb,
      holidays: SEND_RULES_VERSIONS.holidays,
    }),
  },
  {
    provide: GateReader,
    inject: [DB, EVENT_LOG, BARRIER, DISPATCH_PROJECTOR, RecipientLookup],
    useFactory: (db: Connection, log: EventLog, barrier: Barrier, projector: Projector, recipients: RecipientLookup) =>
      new GateReader({ db, log, barrier, projector, recipients }),
  },
  {
    provide: WeighRequest,
    inject: [DB, BARRIER, GateReader, RecipientLookup, SealedFields, CLOCK, GATE_VERSIONS],
    useFactory: (
      db: Connection,
      barrier: Barrier,
      reader: GateReader,
      recipients: RecipientLookup,
      sealed: SealedFields,
      clock: Clock,
      versions: GateVersions,
    ) => new WeighRequest({ db, barrier, gate: reader, recipients, sealed, clock, versions }),
  },
];

const recipients = [
  {
    provide: RecipientLookup,
    inject: [DB, EVENT_LOG, RUNTIME_CONFIG],
    useFactory: (db: Connection, log: EventLog, config: DispatchConfig) =>
      new RecipientLookup(db, log, new AddressKeys(parsePeppers(config.ASSENT_PEPPERS))),
  },
  {
    provide: SealedFields,
    inject: [RUNTIME_CONFIG, CLOCK],
    useFactory: (config: DispatchConfig, clock: Clock) => SealedFields.of(config, clock),
  },
  {
    provide: RequestKeys,
    inject: [RUNTIME_CONFIG],
    useFactory: (config: DispatchConfig) =>
      new RequestKeys({ file: config.DISPATCH_REQUEST_KEYS_FILE, create: config.NODE_ENV !== 'production' }),
  },
];

const sending = [
  { provide: Claims, inject: [DB], useFactory: (db: Connection) => new Claims(db) },
  { provide: SenderRates, inject: [DB], useFactory: (db: Connection) => new SenderRates(db) },
  {
    provide: WhatsappClient,
    inject: [RUNTIME_CONFIG, CLOCK],
    useFactory: (config: DispatchConfig, clock: Clock) =>
      new WhatsappClient({
        apiUrl: config.WHATSAPP_API_URL,
        accessToken: config.WHATSAPP_ACCESS_TOKEN,
        monotonicMs: () => clock.monotonicMs(),
      }),
  },
  {
    provide: DispatchMetrics,
    inject: [METRICS_REGISTRY, CLOCK],
    useFactory: (registry: Registry, clock: Clock) => new DispatchMetrics(registry, () => clock.now()),
  },
  {
    provide: OpenDispatch,
    inject: [DB, RecipientLookup, SealedFields],
    useFactory: (db: Connection, lookup: RecipientLookup, sealed: SealedFields) =>
      new OpenDispatch({ db, recipients: lookup, sealed }),
  },
  {
    provide: SendDispatch,
    inject: [
      DB,
      CLOCK,
      LOGGER,
      ClockCheck,
      NEW_ID,
      Appender,
      Claims,
      GateReader,
      SenderRates,
      WhatsappClient,
      OpenDispatch,
      GATE_VERSIONS,
      DispatchMetrics,
      BARRIER,
    ],
    useFactory: (
      db: Connection,
      clock: Clock,
      logger: Logger,
      clockCheck: ClockCheck,
      newId: NewId,
      appender: Appender,
      claims: Claims,
      reader: GateReader,
      rates: SenderRates,
      whatsapp: WhatsappClient,
      open: OpenDispatch,
      versions: GateVersions,
      metrics: DispatchMetrics,
      barrier: Barrier,
    ) =>
      new SendDispatch({
        db,
        clock,
        logger,
        clockCheck,
        newId,
        appender,
        claims,
        gate: reader,
        barrier,
        rates,
        whatsapp,
        open,
        versions,
        metrics,
        epochs: new Checkpoints({ db, reader: SEND_LOOP_READER }),
      }),
  },
  {
    provide: SendLoop,
    inject: [DB, CLOCK, LOGGER, SendDispatch],
    useFactory: (db: Connection, clock: Clock, logger: Logger, send: SendDispatch) =>
      new SendLoop({ db, clock, logger, send }),
  },
];

/** What dispatch does (controllers), follows (reactions) and knows (folds). */
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [
    RequestDispatchController,
    DecideDispatchController,
    SearchDispatchesController,
    CancelDispatchController,
    RegisterSenderController,
    RegisterTemplateController,
    PublishRuleSetController,
    SignOffRuleSetController,
    ActivateRuleSetController,
    ShadowReportController,
    DeclareBlackoutController,
    DeclareHolidayController,
    ListConsentsDueSoonController,
    RequestKeysController,
    DispatchStreamsConsumer,
  ],
  providers: [
    RequestDispatchHandler,
    DecideDispatchHandler,
    FindDispatchHandler,
    SearchDispatchesHandler,
    CancelDispatchHandler,
    ListConsentsDueSoonHandler,
    PolicyWrites,
    readModels,
    ...recipients,
    ...gate,
    ...sending,
    reactions,
    optOutPropagation(DISPATCH_PROJECTOR),
    batchConsumers(DISPATCH_PROJECTOR, OptOutPropagation, Reactions, SendLoop),
  ],
})
export class DispatchModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(SendLoop) private readonly sendLoop: SendLoop,
    @Inject(Claims) private readonly claims: Claims,
    @Inject(WhatsappClient) private readonly whatsapp: WhatsappClient,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    assertTimeZoneData();
    await this.claims.init();
    this.sendLoop.start();
  }

  /** HTTP is closed by now and the consumer still runs, so that a running gate can finish. */
  async onModuleDestroy(): Promise<void> {
    await this.sendLoop.stop();
    this.whatsapp.close();
  }
}
