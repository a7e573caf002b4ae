import { join } from 'node:path';
import { verifyFolder } from '@assent/verifier';
import type { PlatformState } from '../start-platform/platform-state.ts';
import { bodyOf, check, present, type Step, type World } from './step.ts';

/** What the end of the transcript says about the verification. */
export interface Verified {
  readonly logs: number;
  readonly leaves: number;
  readonly faults: number;
}

/** Where the folder comes from, and how that is said. */
export interface FolderSource {
  readonly says: string;
  take(): Promise<string>;
}

/** Verifies the audit folder with nothing but its files, against the key that the auditor got before. */
export function verifyLogs(source: FolderSource, tell: (verified: Verified) => void): Step {
  return {
    title: 'The audit log is verified offline',
    async run(world) {
      const publicKey = world.known.keyFingerprint;
      const records = world.log.events.length;
      const folder = await source.take();
      const { ok, checked, faults, faultsNotListed } = await verifyFolder({
        folder,
        ...(publicKey === undefined ? {} : { publicKey }),
      });
      tell({ logs: checked.logs, leaves: checked.leaves, faults: faults.length + faultsNotListed });
      const [fault] = faults;
      check(
        ok,
        'no faults',
        fault === undefined
          ? 'faults'
          : `${faults.length + faultsNotListed} faults, first ${fault.code} at ${fault.where}: ${fault.text}`,
      );
      check(checked.leaves >= records, `all ${records} records of the story`, `${checked.leaves} leaves`);
      present(publicKey, 'a key got from the auditor’s own question', 'the folder’s own key only');
      return {
        says: `${source.says} Every leaf, tile, root and signature was computed anew from the files: ${checked.leaves} records of ${checked.logs} logs, ${checked.checkpoints} signatures, ${checked.events} events, ${checked.attempts} attempts, each accepted and allowed before its call.`,
        events: [],
        details: [`./assent verify ${folder} --key ${publicKey}`],
      };
    },
  };
}

/** A copy of the folder as the audit service makes one, whole although the log grows meanwhile. */
export async function exportLogs({ client }: World, { folder }: PlatformState): Promise<string> {
  const answer = await client.call('audit', 'POST', '/v1/exports', { role: 'auditor' });
  const exported = bodyOf<{ folder: string }>(answer, 201);
  return join(present(folder, 'a data folder'), 'audit', exported.folder);
}
