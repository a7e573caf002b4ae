import { TOPICS, type TopicName } from '@assent/contracts';
import type { Hash } from '@assent/merkle-log';
import type { AuditFolder } from './audit-folder.ts';
import { LogPieces } from './log-pieces.ts';
import { readSignedCheckpoint } from './signed-checkpoint.ts';
import type { TrustedKeys } from './trusted-key.ts';
import { verifyFiles } from './verify-files.ts';
import type { BoundHeads } from './verify-heads.ts';
import { type OnEvent, RecordChecks } from './verify-records.ts';
import type { Findings } from './verify-result.ts';
import { verifyTree } from './verify-tree.ts';

/** A log that the folder has. */
export interface FoundLog {
  readonly topic: TopicName;
  readonly partition: number;
}

/** Others write this topic, so only hashes of its records are kept. */
export function keepsEntries(topic: TopicName): boolean {
  return TOPICS[topic].owner !== 'platform-teams';
}

/** Verifies one log: checkpoint, every root that was ever bound, every tile, entry, offset and event, and every file. */
export async function verifyLog(
  { topic, partition }: FoundLog,
  folder: AuditFolder,
  keys: TrustedKeys,
  heads: BoundHeads,
  onEvent: OnEvent,
  findings: Findings,
): Promise<void> {
  const name = `${topic}/${partition}`;
  findings.checked.logs += 1;
  const claim = await claimed(name, folder, keys, heads, findings);
  if (claim === undefined) return;
  const { size, roots } = claim;
  const pieces = new LogPieces(folder, `logs/${name}`);
  const records = new RecordChecks({ name, topic, partition, size, pieces }, findings, onEvent);
  const entries = keepsEntries(topic);
  await verifyTree({ name, pieces, size, roots, keepsEntries: entries }, entries ? records : undefined, findings);
  if (!entries) await records.offsetsOnly();
  records.close();
  await verifyFiles({ name, pieces, size, keepsEntries: entries, valuesNamed: records.valuesNamed }, folder, findings);
}

/**
 * What the log's checkpoint and the log of heads say about it; where they disagree, the larger size is checked. Undefined
 * when neither says anything that holds.
 */
async function claimed(
  name: string,
  folder: AuditFolder,
  keys: TrustedKeys,
  heads: BoundHeads,
  findings: Findings,
): Promise<{ size: number; roots: ReadonlyMap<number, Hash> } | undefined> {
  const checkpoint = await readSignedCheckpoint(folder, `logs/${name}`, name, keys, findings);
  const bound = heads.get(name);
  const roots = new Map(bound?.roots ?? []);
  if (checkpoint === undefined) return bound && { size: bound.size, roots };
  const boundRoot = roots.get(checkpoint.size);
  if (boundRoot !== undefined && Buffer.compare(boundRoot, checkpoint.root) !== 0) {
    const text = 'the checkpoint and the log of heads have different roots for the same size';
    findings.fault(name, 'head-differs', `${name} size ${checkpoint.size}`, text);
  }
  const boundSize = bound?.size ?? 0;
  if (boundSize > checkpoint.size) {
    const text = `the log of heads has ${boundSize} leaves of it, its checkpoint ${checkpoint.size}: the log was cut or rewound`;
    findings.fault(name, 'log-behind-head', `${name} checkpoint`, text);
  }
  if (boundSize < checkpoint.size) {
    findings.note(`${name} has ${checkpoint.size - boundSize} signed leaves that the log of heads does not bind yet`);
  }
  roots.set(checkpoint.size, checkpoint.root);
  return { size: Math.max(checkpoint.size, boundSize), roots };
}
