import type { EventLog } from '@assent/event-log';
import { AddressKeys, parsePeppers } from '@assent/identity';
import type { Barrier } from '@assent/projection';
import { FileKeyWrapper, IntakeKey, SubjectKeys } from '@assent/sealing';
import {
  Appender,
  barrierProvider,
  batchConsumers,
  type Clock,
  CLOCK,
  DB,
  EVENT_LOG,
  NEW_ID,
  type NewId,
  projectorProvider,
  RUNTIME_CONFIG,
} from '@assent/service-runtime';
import { Module } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { AddressDirectory } from './address-directory/address-directory.ts';
import { capturePointFold } from './catalogue/capture-point.projection.ts';
import { Catalogue } from './catalogue/catalogue.ts';
import { noticeFold } from './catalogue/notice.projection.ts';
import { purposeFold } from './catalogue/purpose.projection.ts';
import { ChangePreferencesController } from './change-preferences/change-preferences.controller.ts';
import type { ConsentConfig } from './config.ts';
import { ConfirmConsentHandler } from './confirm-consent/confirm-consent.command.ts';
import { ConfirmationTokens, UnsubscribeTokens } from './confirmation-token/confirmation-token.ts';
import { ConsentHistories, consentHistoryFold } from './consent-history/consent-history.projection.ts';
import { ConsentStreamsConsumer } from './consent-streams.consumer.ts';
import { FollowProviderStops } from './follow-provider-stops/follow-provider-stops.ts';
import { PublishCapturePointController } from './publish-capture-point/publish-capture-point.controller.ts';
import { PublishNoticeController } from './publish-notice/publish-notice.controller.ts';
import { PublishPurposeController } from './publish-purpose/publish-purpose.controller.ts';
import { InterpretUpdate } from './receive-whatsapp-webhook/interpret-update.ts';
import { ReceiveWhatsappWebhookController } from './receive-whatsapp-webhook/receive-whatsapp-webhook.controller.ts';
import { RequestConsentHandler } from './request-consent/request-consent.command.ts';
import { RequestConsentController } from './request-consent/request-consent.controller.ts';
import { SearchConsentsController } from './search-consents/search-consents.controller.ts';
import { SearchConsentsHandler } from './search-consents/search-consents.query.ts';
import { senderFold, Senders } from './senders/sender.projection.ts';
import { ShowConfirmPageController } from './show-confirm-page/show-confirm-page.controller.ts';
import { ShowOptInPageController } from './show-opt-in-page/show-opt-in-page.controller.ts';
import {
  MakeUnsubscribeLinkController,
  ShowUnsubscribePageController,
} from './show-unsubscribe-page/show-unsubscribe-page.controller.ts';
import { ADDRESS_KEYS, BARRIER, CONSENT_PROJECTOR, KEY_WRAPPER } from './tokens.ts';
import { UnwrapSubjectKeysController } from './unwrap-subject-keys/unwrap-subject-keys.controller.ts';
import { WithdrawConsentHandler } from './withdraw-consent/withdraw-consent.command.ts';
import { WithdrawConsentController } from './withdraw-consent/withdraw-consent.controller.ts';

const keys = [
  {
    provide: KEY_WRAPPER,
    inject: [RUNTIME_CONFIG],
    useFactory: (config: ConsentConfig) =>
      FileKeyWrapper.open(config.ASSENT_KEK_FILE, { createIfMissing: config.NODE_ENV !== 'production' }),
  },
  {
    provide: SubjectKeys,
    inject: [DB, KEY_WRAPPER],
    useFactory: (connection: Connection, wrapper: FileKeyWrapper) => new SubjectKeys({ connection, wrapper }),
  },
  { provide: IntakeKey, inject: [KEY_WRAPPER], useFactory: (deriver: FileKeyWrapper) => new IntakeKey(deriver) },
  {
    provide: ADDRESS_KEYS,
    inject: [RUNTIME_CONFIG],
    useFactory: (config: ConsentConfig) => new AddressKeys(parsePeppers(config.ASSENT_PEPPERS)),
  },
  {
    provide: ConfirmationTokens,
    inject: [RUNTIME_CONFIG],
    useFactory: (config: ConsentConfig) =>
      new ConfirmationTokens(Buffer.from(config.ASSENT_CONFIRMATION_KEY, 'base64')),
  },
  {
    provide: UnsubscribeTokens,
    inject: [RUNTIME_CONFIG],
    useFactory: (config: ConsentConfig) => new UnsubscribeTokens(Buffer.from(config.ASSENT_CONFIRMATION_KEY, 'base64')),
  },
];

const knowledge = [
  projectorProvider(CONSENT_PROJECTOR, {
    projection: 'consent.read-models.v1',
    folds: [purposeFold, noticeFold, capturePointFold, senderFold, consentHistoryFold],
  }),
  {
    provide: Catalogue,
    inject: [DB, CLOCK],
    useFactory: (db: Connection, clock: Clock) => new Catalogue(db, clock),
  },
  barrierProvider(BARRIER, CONSENT_PROJECTOR),
  {
    provide: Senders,
    inject: [DB, EVENT_LOG, BARRIER],
    useFactory: (db: Connection, log: EventLog, barrier: Barrier) => new Senders({ db, log, barrier }),
  },
  { provide: ConsentHistories, inject: [DB], useFactory: (db: Connection) => new ConsentHistories(db) },
  {
    provide: AddressDirectory,
    inject: [DB, ADDRESS_KEYS, SubjectKeys, Appender, CLOCK, NEW_ID],
    useFactory: (
      db: Connection,
      addressKeys: AddressKeys,
      subjectKeys: SubjectKeys,
      appender: Appender,
      clock: Clock,
      newId: NewId,
    ) => new AddressDirectory({ db, keys: addressKeys, subjectKeys, appender, clock, newId }),
  },
];

const webhook = [
  {
    provide: InterpretUpdate,
    inject: [CLOCK, CommandBus, Senders, Catalogue, AddressDirectory, ConfirmationTokens, IntakeKey],
    useFactory: (
      clock: Clock,
      commands: CommandBus,
      senders: Senders,
      catalogue: Catalogue,
      directory: AddressDirectory,
      tokens: ConfirmationTokens,
      intake: IntakeKey,
    ) => new InterpretUpdate({ clock, commands, senders, catalogue, directory, tokens, intake }),
  },
];

/** What consent does (controllers and handlers), follows and knows (folds). */
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [
    PublishPurposeController,
    PublishNoticeController,
    PublishCapturePointController,
    RequestConsentController,
    WithdrawConsentController,
    ChangePreferencesController,
    SearchConsentsController,
    ReceiveWhatsappWebhookController,
    ShowOptInPageController,
    ShowConfirmPageController,
    ShowUnsubscribePageController,
    MakeUnsubscribeLinkController,
    UnwrapSubjectKeysController,
    ConsentStreamsConsumer,
  ],
  providers: [
    RequestConsentHandler,
    ConfirmConsentHandler,
    WithdrawConsentHandler,
    SearchConsentsHandler,
    ...keys,
    ...knowledge,
    ...webhook,
    {
      provide: FollowProviderStops,
      inject: [DB, Appender, CommandBus],
      useFactory: (db: Connection, appender: Appender, commands: CommandBus) =>
        new FollowProviderStops({ db, appender, commands }),
    },
    batchConsumers(CONSENT_PROJECTOR, FollowProviderStops),
  ],
})
export class ConsentModule {}
