import { isTopicName, type TopicName } from '@assent/contracts';
import { AuditFolder, FolderError } from './audit-folder.ts';
import { readTrustedKeys, type TrustedKeys } from './trusted-key.ts';
import { DecisionChecks } from './verify-decisions.ts';
import { type BoundHeads, verifyHeads } from './verify-heads.ts';
import { type FoundLog, verifyLog } from './verify-log.ts';
import type { OnEvent } from './verify-records.ts';
import { type Checked, type Fault, Findings } from './verify-result.ts';

export interface VerifyOptions {
  /** The exported folder: `manifest.json`, `heads/` and `logs/` are directly in it. */
  readonly folder: string;
  /** Which key to trust, got by another way: a verifier key line, or the SHA-256 fingerprint of the raw key in hex. */
  readonly publicKey?: string;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  /** The log that was just verified. */
  readonly log: string;
  readonly logsDone: number;
  readonly logs: number;
  readonly leaves: number;
  /** Faults in this log. */
  readonly faults: number;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly checked: Readonly<Checked>;
  /** At most 1,000; `faultsNotListed` more were counted. */
  readonly faults: readonly Fault[];
  readonly faultsNotListed: number;
  /** What is not wrong but should be known. */
  readonly notes: readonly string[];
  /** Whose signatures were checked; undefined when the folder does not say. */
  readonly key: { readonly fingerprints: readonly string[]; readonly pinned: boolean } | undefined;
}

/** Facts come before the decisions that rest on them. */
const LAST_TOPIC: TopicName = 'dispatch.events';

/**
 * Verifies an exported audit folder with nothing but the folder: every leaf hashed anew from its entry, every tile, every
 * root that was ever bound, every signature, the offsets, the schema of every event, and the invariants that the log
 * alone can show. Reads files one at a time; memory grows with the number of people and dispatches, not with the log.
 *
 * Without `publicKey` the folder's own key is used: that shows the folder to be consistent, not whose it is.
 *
 * @throws LogFormatError `malformed-key` for a `publicKey` that is none; anything wrong with the folder is a fault
 */
export async function verifyAuditFolder(options: VerifyOptions): Promise<VerifyResult> {
  const findings = new Findings();
  let key: VerifyResult['key'];
  await guarded('folder', findings, async () => {
    const folder = await AuditFolder.open(options.folder);
    const keys = await readTrustedKeys(folder, options.publicKey, findings);
    if (keys === undefined) return;
    key = { fingerprints: keys.fingerprints, pinned: keys.pinned };
    await verifyContent(folder, keys, options.onProgress, findings);
    findings.checked.bytes = folder.bytesRead;
  });
  return {
    ok: findings.faultCount === 0,
    checked: findings.checked,
    faults: findings.faults,
    faultsNotListed: findings.notListed,
    notes: findings.notes,
    key,
  };
}

async function verifyContent(
  folder: AuditFolder,
  keys: TrustedKeys,
  onProgress: VerifyOptions['onProgress'],
  findings: Findings,
): Promise<void> {
  const heads =
    (await guarded('heads', findings, () => verifyHeads(folder, keys, findings))) ?? new Map<string, never>();
  const logs = await findLogs(folder, heads, findings);
  const decisions = new DecisionChecks(findings);
  const onEvent: OnEvent = (event, where) => {
    decisions.event(event, where);
  };
  for (const [done, log] of logs.entries()) {
    const name = `${log.topic}/${log.partition}`;
    const [leavesBefore, faultsBefore] = [findings.checked.leaves, findings.faultCount];
    await guarded(name, findings, () => verifyLog(log, folder, keys, heads, onEvent, findings));
    const leaves = findings.checked.leaves - leavesBefore;
    onProgress?.({
      log: name,
      logsDone: done + 1,
      logs: logs.length,
      leaves,
      faults: findings.faultCount - faultsBefore,
    });
  }
}

/** A part of the folder that cannot be read is a fault, and no reason not to look at the other parts. */
async function guarded<T>(log: string, findings: Findings, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    findings.fault(
      log,
      'folder-unreadable',
      error.path,
      `it cannot be read as part of an audit folder (${error.code})`,
    );
    return undefined;
  }
}

/** The logs of the folder in the order they are verified. Whatever else is in it is a fault, and so is a log that is not. */
async function findLogs(folder: AuditFolder, heads: BoundHeads, findings: Findings): Promise<FoundLog[]> {
  const stray = (path: string): void => {
    findings.fault('folder', 'stray-file', path, 'it has no place in an audit folder');
  };
  for (const { name } of await folder.list('')) if (!['manifest.json', 'heads', 'logs'].includes(name)) stray(name);
  const found: FoundLog[] = [];
  for (const { name: topic } of await folder.list('logs')) {
    if (!isLogged(topic)) {
      stray(`logs/${topic}`);
      continue;
    }
    for (const { name } of await folder.list(`logs/${topic}`)) {
      if (/^(0|[1-9]\d{0,9})$/.test(name)) found.push({ topic, partition: Number(name) });
      else stray(`logs/${topic}/${name}`);
    }
  }
  const names = new Set(found.map(({ topic, partition }) => `${topic}/${partition}`));
  for (const name of heads.keys()) {
    if (!names.has(name))
      findings.fault(name, 'log-missing', name, 'the log of heads names this log, and it is not there');
  }
  return found.sort(
    (a, b) => rank(a) - rank(b) || (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition),
  );
}

function isLogged(topic: string): topic is TopicName {
  return isTopicName(topic) && topic !== 'audit.checkpoints';
}

function rank({ topic }: FoundLog): number {
  return topic === LAST_TOPIC ? 1 : 0;
}
