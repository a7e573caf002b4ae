import type { Connection } from 'mongoose';
import { type DispatchDocument, dispatchFold } from '../dispatch-ledger/dispatch.projection.ts';
import type { RecipientDocument } from '../recipients/recipient.projection.ts';

/** Outcomes after which the person has been asked, or may have been. */
const ASKED: ReadonlySet<string> = new Set(['intended', 'sent', 'unknown']);

/** Every dispatch to a person, of every class. Reads the primary. */
export function dispatchesTo(db: Connection, subjectId: string): Promise<DispatchDocument[]> {
  return db
    .collection<DispatchDocument>(dispatchFold.collection)
    .find({ subjectId }, { readPreference: 'primary' })
    .toArray();
}

/**
 * When this person was last asked because a form said so, epoch milliseconds; undefined when never. Asks that the
 * person's own message started do not count, nor does the dispatch in question itself.
 */
export function lastFormAskAt(
  dispatches: readonly DispatchDocument[],
  { requests }: Pick<RecipientDocument, 'requests'>,
  dispatchId: string,
): number | undefined {
  const selfStarted = new Set(requests.filter((request) => request.selfStarted).map(({ requestId }) => requestId));
  const times = dispatches
    .filter((ask) => ask.class === 'opt-in-ask' && ask._id !== dispatchId && !selfStarted.has(ask.cause?.id ?? ''))
    .flatMap(({ attempts }) => attempts.filter(({ outcome }) => ASKED.has(outcome)))
    .map(({ decidedAt }) => Date.parse(decidedAt));
  return times.length === 0 ? undefined : Math.max(...times);
}
