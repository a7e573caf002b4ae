import type { Connection } from 'mongoose';
import { type DispatchDocument, dispatchFold } from '../dispatch-ledger/dispatch.projection.ts';
import type { RecipientDocument } from '../recipients/recipient.projection.ts';

/** Outcomes after which the person has been asked, or may have been. */
const ASKED: ReadonlySet<string> = new Set(['intended', 'sent', 'unknown']);

/**
 * When this person was last asked because a form said so, epoch milliseconds; undefined when never. Asks that the
 * person's own message started do not count, nor does the dispatch in question itself.
 */
export async function lastFormAskAt(
  db: Connection,
  { _id: subjectId, requests }: RecipientDocument,
  dispatchId: string,
): Promise<number | undefined> {
  const asks = await db
    .collection<DispatchDocument>(dispatchFold.collection)
    .find({ subjectId }, { readPreference: 'primary' })
    .toArray();
  const selfStarted = new Set(requests.filter((request) => request.selfStarted).map(({ requestId }) => requestId));
  const times = asks
    .filter((ask) => ask.class === 'opt-in-ask' && ask._id !== dispatchId && !selfStarted.has(ask.cause?.id ?? ''))
    .flatMap(({ attempts }) => attempts.filter(({ outcome }) => ASKED.has(outcome)))
    .map(({ decidedAt }) => Date.parse(decidedAt));
  return times.length === 0 ? undefined : Math.max(...times);
}
