import { homedir } from 'node:os';
import { join } from 'node:path';
import type { VerifyIo } from './verify-io.ts';

/** The process's own terminal, clock and folders. Ctrl-C stops the run after the tile it is at. */
export function processIo(): VerifyIo {
  const { env, stdout, stderr } = process;
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
  });
  process.once('SIGTERM', () => {
    stop.abort();
  });
  return {
    stdout: (text) => stdout.write(text),
    stderr: (text) => stderr.write(text),
    // No colour where NO_COLOR asks for none (no-color.org).
    isTty: stdout.isTTY && (env['NO_COLOR'] ?? '') === '',
    monotonicMs: () => performance.now(),
    now: () => new Date(),
    stateFolder: join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'assent-verify'),
    token: env['ASSENT_VERIFY_TOKEN'],
    signal: stop.signal,
  };
}
