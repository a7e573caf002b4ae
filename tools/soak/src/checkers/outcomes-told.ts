import { type CallRecord, fieldsOf, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/**
 * Each intent has an outcome, and an attempt that is `unknown` although the provider took its message has been resolved
 * by the status that carried its id back. Ask once everything has settled: a call that its process did not survive is
 * told 30 s after another process has taken over.
 */
export function outcomesTold(calls: readonly CallRecord[], records: readonly RawRecord[]): Violation[] {
  const attemptsWith = (pattern: RegExp): Set<string> =>
    new Set(
      records
        .filter((record) => pattern.test(typeOf(record)))
        .map((record) => textAt(fieldsOf(record), 'attemptId') ?? ''),
    );
  const ended = attemptsWith(/^dispatch\.attempt-(sent|failed|unknown|abandoned)\.v1$/);
  const resolved = attemptsWith(/^dispatch\.status-recorded\.v1$/);
  const taken = new Set(
    calls.filter(({ outcome }) => outcome === 'accepted').map(({ bizOpaqueCallbackData: data }) => data?.split('.')[0]),
  );
  const open = [...attemptsWith(/^dispatch\.attempt-intended\.v1$/)].filter((attemptId) => !ended.has(attemptId));
  const unresolved = [...attemptsWith(/^dispatch\.attempt-unknown\.v1$/)].filter(
    (attemptId) => taken.has(attemptId) && !resolved.has(attemptId),
  );
  return [
    ...open.map((attemptId) => ({ invariant: 'I4', what: `attempt ${attemptId} has no outcome` })),
    ...unresolved.map((attemptId) => ({
      invariant: 'I4',
      what: `no status resolved the unknown attempt ${attemptId}`,
    })),
  ];
}
