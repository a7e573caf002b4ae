import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes a running process's disk full, or roomy again, without root and for nobody else: RLIMIT_FSIZE by `prlimit` of
 * util-linux. Every write that would make a file longer fails from then on (EFBIG); what is written stays readable.
 *
 * @returns false when this machine can't do it
 */
export async function setDiskFull(pid: number, isFull: boolean): Promise<boolean> {
  try {
    // The soft limit only: an unprivileged process may raise it again up to the hard one.
    await run('prlimit', ['--pid', String(pid), `--fsize=${isFull ? '1' : 'unlimited'}:unlimited`]);
    return true;
  } catch {
    return false;
  }
}
