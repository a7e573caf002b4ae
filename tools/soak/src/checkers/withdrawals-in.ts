import { createHash } from 'node:crypto';
import { fieldsOf, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/** One withdrawal, as its caller saw it. */
export interface WithdrawalStory {
  /** What is odd about it. */
  readonly what: string;
  /** What was down during the first tries; absent: nothing. */
  readonly down?: 'store' | 'broker';
  /** Statuses while that was down; undefined: no answer. */
  readonly whileDown: readonly (number | undefined)[];
  /** Status of the last try. */
  readonly status: number | undefined;
  /** Where the answer says that it stands. */
  readonly positions: readonly string[];
  /** How its fact is found when the answer names no position: by either. */
  readonly fact: { readonly wamid?: string; readonly senderId?: string } | undefined;
}

const WITHDRAWALS: ReadonlySet<string> = new Set(['consent.withdrawn.v1', 'consent.withdrawal-quarantined.v1']);

/**
 * I6: whatever it says, a withdrawal of an authenticated caller is taken (2xx) and its fact is in the log; while the
 * store or the broker is down it is answered by a 503 or not at all, never by a 2xx and never refused.
 */
export function withdrawalsIn(stories: readonly WithdrawalStory[], records: readonly RawRecord[]): Violation[] {
  const withdrawals = records.filter((record) => WITHDRAWALS.has(typeOf(record)));
  const positions = new Set(withdrawals.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`));
  const messages = new Set(withdrawals.map((record) => textAt(fieldsOf(record), 'messageId')));
  const keys = new Set(withdrawals.map(({ key }) => key));
  return stories.flatMap((story) => {
    const wrong = story.whileDown.filter((status) => status !== undefined && status !== 503);
    const early = wrong.map((status) =>
      violation(story, `was answered ${String(status)} while the ${story.down ?? ''} was down`),
    );
    if (story.status === undefined || story.status < 200 || story.status > 299)
      return [...early, violation(story, `was answered ${String(story.status ?? 'nothing')}`)];
    return isIn(story) ? early : [...early, violation(story, 'was acknowledged and is not in the log')];
  });

  function isIn({ positions: named, fact }: WithdrawalStory): boolean {
    if (named.length > 0) return named.some((position) => positions.has(position));
    const isOfMessage = fact?.wamid !== undefined && messages.has(messageIdOf(fact.wamid));
    return isOfMessage || (fact?.senderId !== undefined && keys.has(`sender:${fact.senderId}`));
  }
}

function violation({ what }: WithdrawalStory, fault: string): Violation {
  return { invariant: 'I6', what: `a withdrawal (${what}) ${fault}` };
}

/** The published form of a message id, docs/adr/0008: SHA-256 over length-prefixed label and wamid, as a UUID version 8. */
function messageIdOf(wamid: string): string {
  const hash = createHash('sha256');
  for (const part of ['whatsapp-message', wamid]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(part));
    hash.update(length).update(part);
  }
  const hex = [...hash.digest().subarray(0, 16)]
    .map((byte, index) => (index === 6 ? (byte & 0x0f) | 0x80 : index === 8 ? (byte & 0x3f) | 0x80 : byte))
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
