import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Milliseconds of the first decision in a process that has just loaded the library. */
export async function coldDecision(): Promise<number> {
  const child = fork(fileURLToPath(new URL('./decide-once.js', import.meta.url)));
  const [tookMs] = (await once(child, 'message')) as [number];
  await once(child, 'exit');
  return tookMs;
}
