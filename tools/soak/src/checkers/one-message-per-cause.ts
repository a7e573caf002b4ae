import { asFields, type CallRecord, fieldsOf, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/** One receipt follows a withdrawal, one ask a request to opt in; a message of a platform team has a request each. */
export function oneMessagePerCause(calls: readonly CallRecord[], records: readonly RawRecord[]): Violation[] {
  const causeOf = new Map<string, string>();
  for (const record of records) {
    if (typeOf(record) !== 'dispatch.accepted.v1') continue;
    const fields = fieldsOf(record);
    const cause = textAt(asFields(fields['cause']), 'id') ?? '';
    causeOf.set(textAt(fields, 'dispatchId') ?? '', `${textAt(fields, 'class') ?? ''} because of ${cause}`);
  }
  const left = new Map<string, number>();
  for (const { outcome, bizOpaqueCallbackData } of calls) {
    const cause = causeOf.get(bizOpaqueCallbackData?.split('.')[1] ?? '');
    if (outcome === 'accepted' && cause !== undefined) left.set(cause, (left.get(cause) ?? 0) + 1);
  }
  return [...left]
    .filter(([, count]) => count > 1)
    .map(([cause, count]) => ({ invariant: 'I4', what: `${count} messages left: ${cause}` }));
}
