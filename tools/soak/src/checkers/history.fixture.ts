import type { AcknowledgedWrite, CallRecord, RawRecord } from './evidence.ts';

/** A history that a test writes down record by record, one log for each topic. */
export class History {
  readonly records: RawRecord[] = [];
  readonly calls: CallRecord[] = [];
  #nowMs = 1_000;

  record(topic: string, type: string, data: Readonly<Record<string, unknown>>): RawRecord {
    const offset = this.records.filter((record) => record.topic === topic).length;
    const headers = { ce_type: type };
    const record = { topic, partition: 0, offset, recordedAtMs: this.#next(), key: 'k', headers, data };
    this.records.push(record);
    return record;
  }

  dispatchFact(type: string, dispatchId: string, attemptId: string): RawRecord {
    return this.record('dispatch.events', `dispatch.${type}.v1`, { dispatchId, attemptId, subjectId: 's' });
  }

  call(dispatchId: string, attemptId: string, change: Partial<CallRecord> = {}): void {
    const at = this.#next();
    this.calls.push({
      seq: this.calls.length + 1,
      receivedAtMs: at,
      receivedAtMonotonicMs: at,
      bizOpaqueCallbackData: `${attemptId}.${dispatchId}.s`,
      outcome: 'accepted',
      reply: 'sent',
      ...change,
    });
  }

  /** The usual life of an attempt. */
  sent(dispatchId: string, attemptId: string): void {
    this.dispatchFact('attempt-intended', dispatchId, attemptId);
    this.call(dispatchId, attemptId);
    this.dispatchFact('attempt-sent', dispatchId, attemptId);
  }

  acknowledged(kind: string, ids: Readonly<Record<string, string>>, subjectId?: string): AcknowledgedWrite {
    const at = this.#next();
    const times = { begunAtMs: at, begunAtMonotonicMs: at, acknowledgedAtMs: at, acknowledgedAtMonotonicMs: at };
    return { kind, ids, ...times, ...(subjectId === undefined ? {} : { subjectId }) };
  }

  /** Far enough apart for every allowance for skew. */
  #next(): number {
    this.#nowMs += 1_000;
    return this.#nowMs;
  }
}
