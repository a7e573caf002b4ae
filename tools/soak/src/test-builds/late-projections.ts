import { setTimeout as sleep } from 'node:timers/promises';
import { Projector } from '@assent/projection';

/** What a run tells such a process over its channel. */
export interface ProjectionDelay {
  readonly projectionDelayMs: number;
}

/**
 * Imported before a service's own program: its read models can be made late, each batch by so many milliseconds, while
 * everything else of the process (appends, calls, answers) keeps its pace.
 */
let delayMs = 0;
process.on('message', (message: Partial<ProjectionDelay>) => {
  delayMs = message.projectionDelayMs ?? delayMs;
});

const apply = Reflect.get(Projector.prototype, 'apply');
Projector.prototype.apply = async function (this: Projector, batch): Promise<void> {
  if (delayMs > 0) await sleep(delayMs);
  return apply.call(this, batch);
};
