import fileSystem from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a run tells such a process over its channel. */
export interface DiskDelay {
  readonly diskDelayMs: number;
}

/**
 * Imported before a service's own program: its disk can be made slow. Each sync and each rename begins so many
 * milliseconds late, as on a disk whose queue is long; the rest of the process keeps its pace.
 */
let delayMs = 0;
process.on('message', (message: Partial<DiskDelay>) => {
  delayMs = message.diskDelayMs ?? delayMs;
});

async function late(): Promise<void> {
  if (delayMs > 0) await sleep(delayMs);
}

const { rename } = fileSystem;
fileSystem.rename = async (from, to) => {
  await late();
  return rename(from, to);
};
syncBuiltinESMExports();

const file = await fileSystem.open(import.meta.filename);
const handles = Object.getPrototypeOf(file) as typeof file;
await file.close();
const sync = Reflect.get(handles, 'sync');
handles.sync = async function (this: typeof file): Promise<void> {
  await late();
  return sync.call(this);
};
