import { parseHeadEntry } from '../check-heads/head-entry.ts';
import { chainKeys, type ChainFound } from '../check-keys/key-chain.ts';
import { keysOf, objectOf } from '../check-keys/manifest.ts';
import { openCheckpoint, type SignedCheckpoint } from '../check-keys/signed-checkpoint.ts';
import { type Hash, leafHash, sameBytes, sha256 } from '../merkle/hashes.ts';
import { provesInclusion } from '../merkle/proofs.ts';
import { FormatError } from '../notes/format-error.ts';
import { utf8Of } from '../notes/signed-note.ts';
import { type LoggedEvent, readEvent } from '../records/event.ts';
import { type Leaf, parseLeaf } from '../records/leaf.ts';
import { logNamed } from '../records/topics.ts';
import { base64Of, hashOf } from './tlog-proof.ts';

/** docs/formats/proofs.md */
export const BUNDLE_FORMAT = 'assent-proof-bundle/v1';
const LOGS_MAX = 10_000;
const RECORDS_MAX = 100_000;

/** A record that a bundle proves. */
export interface ProvenRecord {
  readonly log: string;
  readonly index: number;
  /** Undefined when the bundle has its hash only. */
  readonly offset: number | undefined;
  readonly event: LoggedEvent | undefined;
}

/** What a bundle proves, all of it checked. */
export interface ProvenBundle {
  readonly chain: ChainFound['chain'];
  readonly heads: SignedCheckpoint;
  readonly logs: readonly { readonly name: string; readonly size: number; readonly root: Hash }[];
  readonly records: readonly ProvenRecord[];
  readonly notShown: number;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Checks a proof bundle from its keys to its records.
 * @throws FormatError with the first thing that does not hold
 */
export function checkBundle(bytes: Uint8Array, trusted: string | undefined): ProvenBundle {
  const bundle = objectOf(utf8Of(bytes));
  if (bundle['format'] !== BUNDLE_FORMAT) throw new FormatError(`it is not an ${BUNDLE_FORMAT}`);
  const origin = textOf(bundle, 'origin');
  const statements = listOf(bundle, 'keyStatements', LOGS_MAX).map((note) =>
    Buffer.from(asText(note, 'a key statement')),
  );
  const { chain, unlinked } = chainKeys(origin, keysOf(bundle['keys'], origin), statements, trusted);
  if (unlinked.length > 0) throw new FormatError('a key of it is not linked to the one before');
  if (trusted !== undefined && !chain.fingerprints.includes(trusted))
    throw new FormatError('it is signed by another key than the one that was given');
  const heads = openCheckpoint(Buffer.from(textOf(bundle, 'heads')), 'heads', chain);
  const logs = listOf(bundle, 'logs', LOGS_MAX).map((log, i) => provenLog(asObject(log), i, origin, heads));
  const records = listOf(bundle, 'records', RECORDS_MAX).map((record, i) => provenRecord(asObject(record), i, logs));
  if (bundle['receipt'] !== undefined) receiptIsProven(asObject(bundle['receipt']), records);
  const notShown = typeof bundle['notShown'] === 'number' ? bundle['notShown'] : 0;
  return { chain, heads, logs, records, notShown };
}

function provenLog(log: Json, i: number, origin: string, heads: SignedCheckpoint): ProvenBundle['logs'][number] {
  const entry = base64Of(textOf(log, 'entry'));
  const head = parseHeadEntry(entry, origin);
  const claim = { leaf: leafHash(entry), index: numberOf(log, 'index'), size: heads.size, root: heads.root };
  if (head.name !== textOf(log, 'name')) throw new FormatError(`the head of log ${i} is of another log`);
  if (!provesInclusion({ ...claim, path: pathOf(log) }))
    throw new FormatError(`the head of ${head.name} is not proven`);
  return { name: head.name, size: head.size, root: head.root };
}

function provenRecord(record: Json, i: number, logs: ProvenBundle['logs']): ProvenRecord {
  const name = textOf(record, 'log');
  const log = logs.find((known) => known.name === name);
  const of = logNamed(name);
  if (log === undefined || of === undefined) throw new FormatError(`record ${i} is of a log that is not there`);
  const index = numberOf(record, 'index');
  const entry = record['entry'] === undefined ? undefined : base64Of(textOf(record, 'entry'));
  const leaf = entry === undefined ? hashOf(textOf(record, 'leafHash')) : leafHash(entry);
  if (!provesInclusion({ leaf, index, size: log.size, root: log.root, path: pathOf(record) }))
    throw new FormatError(`record ${i}, ${name} index ${index}, is not proven`);
  if (entry === undefined) return { log: name, index, offset: undefined, event: undefined };
  const decoded = parseLeaf(entry);
  if (decoded.topic !== of.topic || decoded.partition !== of.partition)
    throw new FormatError(`record ${i} is of another log than ${name}`);
  return { log: name, index, offset: decoded.offset, event: eventOf(decoded, record, i) };
}

function eventOf(leaf: Leaf, record: Json, i: number): LoggedEvent | undefined {
  const value = valueOf(leaf, record, i);
  if (value === undefined) return undefined;
  const event = readEvent(leaf, value);
  return typeof event === 'object' && 'data' in event ? event : undefined;
}

/** The record's value; undefined when only its hash is known. @throws FormatError */
function valueOf({ value }: Leaf, record: Json, i: number): Uint8Array | null | undefined {
  if (value === null || !('sha256' in value)) return value;
  if (record['value'] === undefined) return undefined;
  const bytes = base64Of(textOf(record, 'value'));
  if (bytes.length !== value.length || !sameBytes(sha256(bytes), value.sha256))
    throw new FormatError(`the value of record ${i} is not the one that was hashed`);
  return bytes;
}

/** What a receipt says for people to read is about a record that the bundle proves. */
function receiptIsProven(receipt: Json, records: readonly ProvenRecord[]): void {
  const proven = records.some(
    ({ log, offset, event }) =>
      event !== undefined &&
      receipt['position'] === `${log}@${offset}` &&
      receipt['eventId'] === event.id &&
      receipt['type'] === event.type,
  );
  if (!proven) throw new FormatError('its receipt is about another event than the one that is proven');
}

function pathOf(json: Json): Hash[] {
  return listOf(json, 'proof', 64).map((hash) => hashOf(asText(hash, 'a hash')));
}

function asObject(json: unknown): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new FormatError('a member is no object');
  return json as Json;
}

function textOf(json: Json, name: string): string {
  return asText(json[name], name);
}

function asText(json: unknown, what: string): string {
  if (typeof json !== 'string') throw new FormatError(`${what} is not a text`);
  return json;
}

function numberOf(json: Json, name: string): number {
  const number = json[name];
  if (!Number.isSafeInteger(number) || Number(number) < 0) throw new FormatError(`${name} is not a number`);
  return Number(number);
}

function listOf(json: Json, name: string, max: number): unknown[] {
  const list = json[name];
  if (!Array.isArray(list) || list.length > max) throw new FormatError(`${name} is not a list, or too long`);
  return list;
}
