import type { EventLog } from '@assent/event-log';
import { AddressKeys, parsePeppers } from '@assent/identity';
import {
  barrierProvider,
  batchConsumers,
  DB,
  EVENT_LOG,
  OptOutPropagation,
  optOutPropagation,
  projectorProvider,
  RUNTIME_CONFIG,
} from '@assent/service-runtime';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { AddSuppressionHandler } from './add-suppression/add-suppression.command.ts';
import { AddSuppressionController } from './add-suppression/add-suppression.controller.ts';
import { addressFold } from './addresses/address.projection.ts';
import { addressCausesFold, causeAddressFold } from './causes/cause.projection.ts';
import { CheckAddressController } from './check-address/check-address.controller.ts';
import { CheckAddressesHandler } from './check-address/check-address.query.ts';
import type { SuppressionConfig } from './config.ts';
import { heldSenderFold } from './held-senders/held-sender.projection.ts';
import { LiftSuppressionHandler } from './lift-suppression/lift-suppression.command.ts';
import { LiftSuppressionController } from './lift-suppression/lift-suppression.controller.ts';
import { purposeFold } from './purposes/purpose.projection.ts';
import { RecipientLookup } from './recipient-lookup/recipient-lookup.ts';
import { SearchSuppressionsController } from './search-suppressions/search-suppressions.controller.ts';
import { SearchSuppressionsHandler } from './search-suppressions/search-suppressions.query.ts';
import { subjectFold } from './subjects/subject.projection.ts';
import { SuppressionStreamsConsumer } from './suppression-streams.consumer.ts';
import { BARRIER, SUPPRESSION_PROJECTOR } from './tokens.ts';

/** What suppression knows (folds) and does (controllers). */
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [
    CheckAddressController,
    AddSuppressionController,
    LiftSuppressionController,
    SearchSuppressionsController,
    SuppressionStreamsConsumer,
  ],
  providers: [
    CheckAddressesHandler,
    AddSuppressionHandler,
    LiftSuppressionHandler,
    SearchSuppressionsHandler,
    projectorProvider(SUPPRESSION_PROJECTOR, {
      projection: 'suppression.read-models.v1',
      folds: [subjectFold, addressFold, addressCausesFold, causeAddressFold, purposeFold, heldSenderFold],
    }),
    optOutPropagation(SUPPRESSION_PROJECTOR),
    batchConsumers(SUPPRESSION_PROJECTOR, OptOutPropagation),
    barrierProvider(BARRIER, SUPPRESSION_PROJECTOR),
    {
      provide: RecipientLookup,
      inject: [DB, EVENT_LOG, RUNTIME_CONFIG],
      useFactory: (db: Connection, log: EventLog, config: SuppressionConfig) =>
        new RecipientLookup(db, log, new AddressKeys(parsePeppers(config.ASSENT_PEPPERS))),
    },
  ],
})
export class SuppressionModule {}
