import type { RecordBatch } from '@assent/event-log';
import { BatchConsumers } from '@assent/service-runtime';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { LOGGED_TOPICS } from './merkle-logs/log-layout.ts';

/** The topics that this service follows: all but audit.checkpoints, which it writes. */
@Controller()
export class AuditStreamsConsumer {
  constructor(@Inject(BatchConsumers) private readonly consumers: BatchConsumers) {}

  @EventPattern([...LOGGED_TOPICS])
  apply(@Payload() batch: RecordBatch): Promise<void> {
    return this.consumers.apply(batch);
  }
}
