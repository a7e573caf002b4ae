/** A question that nobody should ask; not a verdict. */
export class SendRulesError extends Error {
  override readonly name = 'SendRulesError';
  constructor(
    readonly code: 'invalid-instant' | 'invalid-local-time' | 'unknown-zone',
    message: string,
  ) {
    super(message);
  }
}
