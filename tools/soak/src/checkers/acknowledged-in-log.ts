import {
  type AcknowledgedWrite,
  fieldsOf,
  logName,
  type RawRecord,
  textAt,
  typeOf,
  type Violation,
} from './evidence.ts';

/** What a write of a kind must have left in the log when its answer names no position (a webhook's 200 names none). */
const FACT_OF_KIND: Readonly<Record<string, string>> = { stop: 'consent.withdrawn.v1' };

/**
 * I1: each acknowledged write is in the log. A write that was answered with positions must have a record at each of
 * them, recorded no later than the answer and about the person of the write; one that was answered without must have
 * left the fact of its kind about its person.
 */
export function acknowledgedInLog(
  writes: readonly AcknowledgedWrite[],
  records: readonly RawRecord[],
  skewMs = 100,
): Violation[] {
  const byPosition = new Map(records.map((record) => [`${logName(record)}@${record.offset}`, record]));
  const facts = new Set(records.map((record) => `${typeOf(record)} ${textAt(fieldsOf(record), 'subjectId') ?? ''}`));
  return writes.flatMap((write) => {
    const positions = [...(write.ids['position'] ?? '').matchAll(/[a-z.]+\/\d+@\d+/g)].map(([text]) => text);
    if (positions.length === 0) return factIsMissing(write, facts) ? [lost(write, 'left no fact in the log')] : [];
    return positions.flatMap((position) => {
      const record = byPosition.get(position);
      if (record === undefined) return [lost(write, `there is no record at ${position}`)];
      // Broker and harness share the machine's clock; the broker stamps before it answers.
      if (record.recordedAtMs > write.acknowledgedAtMs + skewMs)
        return [lost(write, `${position} was recorded after it`)];
      const about = textAt(fieldsOf(record), 'subjectId');
      const isOther = write.subjectId !== undefined && about !== undefined && about !== write.subjectId;
      return isOther ? [lost(write, `${position} is about somebody else`)] : [];
    });
  });
}

function factIsMissing({ kind, subjectId = '' }: AcknowledgedWrite, facts: ReadonlySet<string>): boolean {
  const fact = FACT_OF_KIND[kind];
  return fact !== undefined && !facts.has(`${fact} ${subjectId}`);
}

function lost({ kind }: AcknowledgedWrite, what: string): Violation {
  return { invariant: 'I1', what: `a ${kind} was acknowledged, and ${what}` };
}
