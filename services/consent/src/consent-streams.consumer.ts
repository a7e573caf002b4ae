import type { RecordBatch } from '@assent/event-log';
import { BatchConsumers } from '@assent/service-runtime';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';

/** The topics that this service follows. */
@Controller()
export class ConsentStreamsConsumer {
  constructor(@Inject(BatchConsumers) private readonly consumers: BatchConsumers) {}

  @EventPattern(['consent.events', 'consent.catalog', 'dispatch.policy', 'dispatch.events'])
  apply(@Payload() batch: RecordBatch): Promise<void> {
    return this.consumers.apply(batch);
  }
}
