import type { JsonFault } from './json.ts';

export type EventFaultCode =
  | JsonFault
  | 'unknown-event-type'
  | 'wrong-topic'
  | 'missing-header'
  | 'repeated-header'
  | 'too-many-headers'
  | 'unsupported-content-type'
  | 'key-mismatch'
  | 'null-value'
  | 'value-too-large'
  | 'malformed-json'
  | 'malformed-timestamp'
  | 'schema-violation';

/** What is wrong with an event, without any of its values. */
export interface EventFault {
  code: EventFaultCode;
  /** JSON pointer into the attributes (`/ce_time`, `/content-type`) or the data (`/data/scope/kind`). */
  pointer?: string;
  /** JSON Schema keyword that failed. */
  keyword?: string;
}

function sentence(fault: EventFault): string {
  return [fault.code, fault.pointer, fault.keyword].filter((part) => part !== undefined).join(' ');
}

/** An event that may not be written. A defect of the writer, or of input it did not check; nothing was appended. */
export class EventEncodeError extends Error {
  override readonly name = 'EventEncodeError';
  readonly code: EventFaultCode;
  readonly fault: EventFault;
  constructor(fault: EventFault) {
    super(`event refused: ${sentence(fault)}`);
    this.code = fault.code;
    this.fault = fault;
  }
}

/** A record that is no event this program understands. Text and fields name places, never values. */
export abstract class EventDecodeError extends Error {
  readonly code: EventFaultCode;
  readonly fault: EventFault;
  /** The record, as topic/partition@offset. */
  readonly at: string;
  constructor(fault: EventFault, at: string) {
    super(`record ${at}: ${sentence(fault)}`);
    this.code = fault.code;
    this.fault = fault;
    this.at = at;
  }
}

/** Of a type that this program does not know, perhaps of a later version. Consumers skip and count it. */
export class UnknownEventTypeError extends EventDecodeError {
  override readonly name = 'UnknownEventTypeError';
  constructor(at: string) {
    super({ code: 'unknown-event-type', pointer: '/ce_type' }, at);
  }
}

/** Broken, or not what its type promises. Consumers park its key. */
export class InvalidEventError extends EventDecodeError {
  override readonly name = 'InvalidEventError';
}
