import { type CallRecord, fieldsOf, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/** The call log and the broker stamp on one machine, each to the millisecond. */
const SKEW_MS = 20;

/**
 * I4, from the provider's own log and the raw topics: an attempt is called at most once, its intent is in the log before
 * the call, and a dispatch is attempted again only when the earlier attempt provably came to nothing (`failed`,
 * `abandoned`), never after `unknown` or `sent`; an intent that is abandoned without a call is no attempt.
 */
export function oneCallPerAttempt(calls: readonly CallRecord[], records: readonly RawRecord[]): Violation[] {
  const facts = attemptFacts(records);
  return [...callsOfAttempts(calls, facts), ...attemptsOfDispatches(calls, facts)];
}

interface AttemptFacts {
  readonly dispatchId: string;
  readonly intendedAtMs: number;
  /** Place of the intent among all records of its log, and with it among those of the dispatch. */
  readonly order: number;
  readonly outcomes: Set<string>;
}

/** All facts of one dispatch lie in one log, in order. */
function attemptFacts(records: readonly RawRecord[]): Map<string, AttemptFacts> {
  const facts = new Map<string, AttemptFacts>();
  for (const record of records.filter(({ topic }) => topic === 'dispatch.events')) {
    const attemptId = textAt(fieldsOf(record), 'attemptId');
    if (attemptId === undefined) continue;
    const known = facts.get(attemptId);
    const type = typeOf(record);
    if (type === 'dispatch.attempt-intended.v1' && known === undefined) {
      const dispatchId = textAt(fieldsOf(record), 'dispatchId') ?? '';
      const { recordedAtMs: intendedAtMs, offset: order } = record;
      facts.set(attemptId, { dispatchId, intendedAtMs, order, outcomes: new Set() });
    }
    const outcome = /^dispatch\.attempt-(sent|failed|unknown|abandoned)\.v1$/.exec(type)?.[1];
    if (outcome !== undefined) known?.outcomes.add(outcome);
  }
  return facts;
}

function callsOfAttempts(calls: readonly CallRecord[], facts: ReadonlyMap<string, AttemptFacts>): Violation[] {
  const called = new Set<string>();
  return calls.flatMap((call) => {
    const attemptId = attemptOf(call);
    // A call that broke off before its body was read names nothing.
    if (attemptId === undefined) return call.outcome === 'broken' ? [] : [violation('a call names no attempt')];
    if (called.has(attemptId)) return [violation(`attempt ${attemptId} was called more than once`)];
    called.add(attemptId);
    const known = facts.get(attemptId);
    if (known === undefined) return [violation(`attempt ${attemptId} was called, and its intent is not in the log`)];
    if (known.intendedAtMs > call.receivedAtMs + SKEW_MS)
      return [violation(`attempt ${attemptId} was called before its intent was in the log`)];
    if (known.outcomes.has('abandoned'))
      return [violation(`attempt ${attemptId} was called, and the log says it was not`)];
    return [];
  });
}

function attemptsOfDispatches(calls: readonly CallRecord[], facts: ReadonlyMap<string, AttemptFacts>): Violation[] {
  const taken = new Set(calls.filter(({ outcome }) => outcome === 'accepted').map(attemptOf));
  const byDispatch = new Map<string, [string, AttemptFacts][]>();
  for (const entry of facts) {
    const { dispatchId } = entry[1];
    byDispatch.set(dispatchId, [...(byDispatch.get(dispatchId) ?? []), entry]);
  }
  const called = new Set(calls.map(attemptOf));
  return [...byDispatch].flatMap(([dispatchId, attempts]) => {
    const inOrder = attempts.sort(([, a], [, b]) => a.order - b.order);
    // The log fences nobody: an owner that was replaced may write its intent late, and abandons it without a call.
    const last = inOrder.findLastIndex(([attemptId, { outcomes }]) => called.has(attemptId) || mayHaveCalled(outcomes));
    return inOrder.slice(0, Math.max(0, last)).flatMap(([attemptId, { outcomes }]) => {
      const mayBeTaken = taken.has(attemptId) || outcomes.has('unknown') || outcomes.has('sent');
      const what = `dispatch ${dispatchId} was attempted again although ${attemptId} was, or may have been, taken`;
      return mayBeTaken ? [violation(what)] : [];
    });
  });
}

function mayHaveCalled(outcomes: ReadonlySet<string>): boolean {
  return outcomes.has('sent') || outcomes.has('failed') || outcomes.has('unknown');
}

function attemptOf({ bizOpaqueCallbackData }: CallRecord): string | undefined {
  return bizOpaqueCallbackData?.split('.')[0];
}

function violation(what: string): Violation {
  return { invariant: 'I4', what };
}
