import { fieldsOf, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/** One request that was sent to a process around its end, over a connection of its own. */
export interface RequestFate {
  readonly subjectId: string;
  /** HTTP status; `refused`: no connection was made; `broken`: the connection ended without an answer. */
  readonly fate: number | 'refused' | 'broken';
}

/**
 * A process that ends in order answers what it has taken on: each request got an answer or no connection, a 2xx has its
 * fact in the log, and what was not answered was not taken. One person asks once, so that the fact tells which it was.
 */
export function requestsAnswered(
  fates: readonly RequestFate[],
  records: readonly RawRecord[],
  fact: string,
): Violation[] {
  const facts = new Set(
    records.filter((record) => typeOf(record) === fact).map((record) => textAt(fieldsOf(record), 'subjectId')),
  );
  return fates.flatMap(({ subjectId, fate }) => {
    const isIn = facts.has(subjectId);
    if (fate === 'broken' && isIn) return [violation('was taken, and its connection ended without an answer')];
    if (typeof fate !== 'number') return [];
    if (fate >= 200 && fate < 300) return isIn ? [] : [violation('was acknowledged and is not in the log')];
    return fate === 503 ? [] : [violation(`was answered ${fate}`)];
  });
}

function violation(what: string): Violation {
  return { invariant: 'shutdown', what: `a request ${what}` };
}
