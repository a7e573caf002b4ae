import { createHash } from 'node:crypto';

import { decodeEvent, EventDecodeError, UnknownEventTypeError } from '@assent/contracts';
import type { LogRecord, RecordedEvent } from '@assent/contracts';

import type { Fold, FoldedDocument } from './fold.ts';
import { PoisonEventError } from './projection.errors.ts';

/** One document that one event feeds. */
interface Target {
  readonly fold: Fold;
  readonly id: string;
}

/** A record, read as far as it can be without the documents. */
export type Step = { readonly offset: number; readonly key: string } & (
  | { readonly kind: 'unknown-type' }
  | { readonly kind: 'poison'; readonly reason: string }
  | { readonly kind: 'event'; readonly event: RecordedEvent; readonly targets: readonly Target[] }
);

/** A key that these records park, with those of its later events that are among them. */
export interface NewlyHeldKey {
  readonly key: string;
  /** Where the poison is: the key's events from here on are not applied. */
  readonly offset: number;
  readonly reason: string;
  /** Offset of the last of its events counted in `held`; at first the poison itself, which does not count. */
  readonly lastHeld: number;
  readonly held: number;
}

/** A key that is held already. */
export interface HeldKey {
  readonly key: string;
  readonly offset: number;
  readonly lastHeld: number;
  /** Grows each time events of the key are held back, so that a release notices those it does not know of. */
  readonly version: number;
}

/** A held key of which these records hold events back, whether or not they were counted before. */
export interface FurtherHeld extends HeldKey {
  /** How many of them were not counted yet. */
  readonly more: number;
}

/** Documents by collection, then by id. */
export type Documents = Map<string, Map<string, FoldedDocument>>;

export interface FoldOutcome {
  readonly changed: Documents;
  readonly parked: readonly NewlyHeldKey[];
  readonly held: readonly FurtherHeld[];
  readonly applied: number;
  readonly unknownTypes: number;
}

/**
 * The name under which a record's key is held: a hash, because on the intake topic a key may be anything, an address
 * included. A record without a key shares its fate with no other, so it is named by its offset.
 */
export function heldKeyOf(key: Uint8Array | null, offset: number): string {
  return key === null ? `@${String(offset)}` : createHash('sha256').update(key).digest('base64url');
}

/**
 * Decodes a record and asks the folds of its topic which documents it feeds. Never throws: what cannot be read is
 * poison.
 */
export function readRecord(record: LogRecord, folds: readonly Fold[]): Step {
  const named = { offset: record.offset, key: heldKeyOf(record.key, record.offset) };
  try {
    const event = decodeEvent(record);
    const targets = folds.flatMap((fold) => [...new Set(fold.idsOf(event))].map((id) => ({ fold, id })));
    return { ...named, kind: 'event', event, targets };
  } catch (error) {
    return error instanceof UnknownEventTypeError
      ? { ...named, kind: 'unknown-type' }
      : { ...named, kind: 'poison', reason: reasonOf(error) };
  }
}

/** A code that is safe to store and log. The message of an unforeseen error may quote content, so it is not used. */
function reasonOf(error: unknown): string {
  if (error instanceof PoisonEventError) {
    return error.reason;
  }
  return error instanceof EventDecodeError ? error.code : 'fold-failed';
}

/**
 * Applies steps of one partition, in offset order, to the documents loaded for them; `documents` is updated in place
 * and `changed` names what has to be written. An event at or below a document's position leaves it as it is, so steps
 * may be repeated and cut anywhere. An event is applied to all of its documents or, when one of them refuses, to none:
 * then its key is held from there on.
 */
export function foldSteps(
  partition: string,
  steps: readonly Step[],
  documents: Documents,
  heldBefore: ReadonlyMap<string, HeldKey>,
): FoldOutcome {
  const changed: Documents = new Map();
  const parked = new Map<string, NewlyHeldKey>();
  const held = new Map<string, FurtherHeld>();
  let applied = 0;
  let unknownTypes = 0;
  for (const step of steps) {
    if (step.kind === 'unknown-type') {
      unknownTypes += 1;
    } else if (!holdBack(step, heldBefore.get(step.key), parked, held)) {
      const outcome = step.kind === 'poison' ? step.reason : evolveAll(partition, step, documents);
      if (typeof outcome === 'string') {
        const { key, offset } = step;
        parked.set(key, { key, offset, lastHeld: offset, reason: outcome, held: 0 });
      } else {
        applied += 1;
        outcome.forEach(({ target, document }) => {
          put(documents, target.fold.collection, document);
          put(changed, target.fold.collection, document);
        });
      }
    }
  }
  return { changed, parked: [...parked.values()], held: [...held.values()], applied, unknownTypes };
}

/** Tells whether the step's key is held at its offset, and notes that. */
function holdBack(
  step: Step,
  before: HeldKey | undefined,
  parked: Map<string, NewlyHeldKey>,
  held: Map<string, FurtherHeld>,
): boolean {
  const { key, offset } = step;
  const parkedNow = parked.get(key);
  if (parkedNow !== undefined) {
    parked.set(key, { ...parkedNow, lastHeld: offset, held: parkedNow.held + 1 });
    return true;
  }
  if (before === undefined || offset < before.offset) {
    return false;
  }
  const { more, lastHeld } = held.get(key) ?? { more: 0, lastHeld: before.lastHeld };
  held.set(key, { ...before, lastHeld: Math.max(lastHeld, offset), more: offset > lastHeld ? more + 1 : more });
  return true;
}

interface Evolved {
  readonly target: Target;
  readonly document: FoldedDocument;
}

/** The documents after the event, or the reason why it is poison. */
function evolveAll(partition: string, step: Step & { kind: 'event' }, documents: Documents): Evolved[] | string {
  const evolved: Evolved[] = [];
  try {
    for (const target of step.targets) {
      const current = documents.get(target.fold.collection)?.get(target.id);
      if (current !== undefined && current._partition !== partition) {
        return 'document-of-another-partition';
      }
      if (current === undefined || step.offset > current._position) {
        const next = target.fold.evolve(current, step.event, target.id);
        if (next !== undefined) {
          const document = { ...next, _id: target.id, _position: step.offset, _partition: partition };
          evolved.push({ target, document });
        }
      }
    }
  } catch (error) {
    return reasonOf(error);
  }
  return evolved;
}

function put(documents: Documents, collection: string, document: FoldedDocument): void {
  let byId = documents.get(collection);
  if (byId === undefined) {
    byId = new Map();
    documents.set(collection, byId);
  }
  byId.set(document._id, document);
}
