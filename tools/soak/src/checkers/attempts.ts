import { asFields, type CallRecord, fieldsOf, logName, type RawRecord, textAt, typeOf } from './evidence.ts';
import { instantAt, type MessageKind, type Placed } from './consent-facts.ts';

/** One `dispatch.attempt-intended.v1`, with what its dispatch is about. */
export interface Attempt extends Placed, MessageKind {
  readonly attemptId: string;
  readonly dispatchId: string;
  readonly subjectId: string;
  readonly addressKey: string;
  /** `message`, `opt-in-ask` or `withdrawal-receipt` */
  readonly class: string;
  readonly cause: { readonly kind: string; readonly id: string };
  /** Read right before the end offsets were asked for; wall clock of the process. */
  readonly decidedAtMs: number;
  /** For each log the next offset that was waited for. */
  readonly positions: Readonly<Record<string, number>>;
}

/** Every attempt whose intent is in the log, by its id. */
export function attemptsOf(records: readonly RawRecord[]): ReadonlyMap<string, Attempt> {
  const kinds = new Map<string, MessageKind>();
  for (const record of records) {
    if (typeOf(record) !== 'dispatch.accepted.v1') continue;
    const data = fieldsOf(record);
    kinds.set(textAt(data, 'dispatchId') ?? '', {
      purposeId: textAt(data, 'purposeId'),
      category: textAt(data, 'category'),
      senderId: textAt(data, 'senderId'),
    });
  }
  const attempts = new Map<string, Attempt>();
  for (const record of records) {
    if (typeOf(record) !== 'dispatch.attempt-intended.v1') continue;
    const data = fieldsOf(record);
    const gate = asFields(data['gate']);
    const cause = asFields(data['cause']);
    const dispatchId = textAt(data, 'dispatchId') ?? '';
    attempts.set(textAt(data, 'attemptId') ?? '', {
      log: logName(record),
      offset: record.offset,
      recordedAtMs: record.recordedAtMs,
      ...(kinds.get(dispatchId) ?? { purposeId: undefined, category: undefined, senderId: textAt(data, 'senderId') }),
      attemptId: textAt(data, 'attemptId') ?? '',
      dispatchId,
      subjectId: textAt(data, 'subjectId') ?? '',
      addressKey: textAt(data, 'addressKey') ?? '',
      class: textAt(data, 'class') ?? '',
      cause: { kind: textAt(cause, 'kind') ?? '', id: textAt(cause, 'id') ?? '' },
      decidedAtMs: instantAt(gate, 'decidedAt'),
      positions: asFields(gate['positions']) as Readonly<Record<string, number>>,
    });
  }
  return attempts;
}

/** The attempt that a call says it is of (docs/adr/0010); undefined for a call that says nothing. */
export function attemptIdOf(call: CallRecord): string | undefined {
  return call.bizOpaqueCallbackData?.split('.')[0];
}
