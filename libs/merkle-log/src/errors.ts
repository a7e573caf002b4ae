/** What can be wrong with bytes that claim to be part of an audit log. */
export type LogFormatCode =
  | 'entry-too-large'
  | 'malformed-bundle'
  | 'malformed-checkpoint'
  | 'malformed-key'
  | 'malformed-key-statement'
  | 'malformed-leaf'
  | 'malformed-note'
  | 'malformed-policy'
  | 'malformed-proof'
  | 'malformed-tile'
  | 'note-signature-invalid'
  | 'note-not-signed-by-known-key'
  | 'range-outside-tree';

/** Bytes or numbers that break a published format. The message names lengths and positions, never content. */
export class LogFormatError extends Error {
  override readonly name = 'LogFormatError';
  constructor(
    readonly code: LogFormatCode,
    message: string,
  ) {
    super(message);
  }
}
