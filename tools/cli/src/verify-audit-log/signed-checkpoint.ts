import { type Checkpoint, LogFormatError, NOTE_BYTES_MAX, openCheckpoint } from '@assent/merkle-log';
import type { AuditFolder } from './audit-folder.ts';
import { type TrustedKeys, verifiersOf } from './trusted-key.ts';
import type { Findings } from './verify-result.ts';

/** Reads a log's checkpoint and checks its signature; undefined, and a fault, when there is none that holds. */
export async function readSignedCheckpoint(
  folder: AuditFolder,
  prefix: string,
  name: string,
  keys: TrustedKeys,
  findings: Findings,
): Promise<Checkpoint | undefined> {
  const where = `${name} checkpoint`;
  const note = await folder.read(`${prefix}/checkpoint`, NOTE_BYTES_MAX);
  if (note === undefined) {
    findings.fault(name, 'checkpoint-missing', where, 'there is no checkpoint');
    return undefined;
  }
  const origin = `${keys.origin}/${name}`;
  try {
    const checkpoint = openCheckpoint(note, origin, verifiersOf(keys, origin));
    findings.checked.checkpoints += 1;
    return checkpoint;
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    findings.fault(name, 'checkpoint-invalid', where, `the checkpoint does not hold (${error.code})`);
    return undefined;
  }
}
