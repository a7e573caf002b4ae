import { closeSync, openSync, writeSync } from 'node:fs';

import { RingBuffer } from '../ring-buffer.ts';

/** When the first byte of a call reached the simulator. */
export interface ArrivalTime {
  /** Epoch ms. */
  readonly receivedAtMs: number;
  /** Since the machine started (`process.hrtime`); comparable between processes of one machine. */
  readonly receivedAtMonotonicMs: number;
}

export interface CallOutcome {
  /**
   * - `accepted`: the message was taken; `reply` says whether the caller heard of it.
   * - `refused`: an error was answered, nothing was taken.
   * - `broken`: the call ended before its body was read, nothing was taken.
   */
  readonly outcome: 'accepted' | 'refused' | 'broken';
  readonly reply: 'sent' | 'delayed' | 'lost' | 'reset';
  readonly httpStatus?: number;
  readonly errorCode?: number;
  readonly messageId?: string;
}

/** One call of `POST …/messages`, whatever became of it. */
export interface CallRecord extends ArrivalTime, CallOutcome {
  /** Position in the log, from 1. */
  readonly seq: number;
  readonly phoneNumberId: string;
  readonly to?: string;
  readonly recipient?: string;
  readonly type?: string;
  readonly template?: string;
  readonly bizOpaqueCallbackData?: string;
}

/** Kept in memory; the file holds every one. */
const CALLS_KEPT_MAX = 100_000;

/** Every provider call, for checkers: written to the file (when there is one) before the caller is answered. */
export class CallLog {
  private readonly calls = new RingBuffer<CallRecord>(CALLS_KEPT_MAX);
  private readonly file: number | undefined;

  /** @param path JSON lines are appended here. Throws when it cannot be opened. */
  constructor(
    path: string | undefined,
    private readonly onChange: () => void,
  ) {
    this.file = path === undefined ? undefined : openSync(path, 'a');
  }

  append(call: Omit<CallRecord, 'seq'>): void {
    const record: CallRecord = { seq: this.calls.total + 1, ...call };
    if (this.file !== undefined) writeSync(this.file, `${JSON.stringify(record)}\n`);
    this.calls.push(record);
    this.onChange();
  }

  list(): readonly CallRecord[] {
    return this.calls.items();
  }

  get total(): number {
    return this.calls.total;
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
  }
}
