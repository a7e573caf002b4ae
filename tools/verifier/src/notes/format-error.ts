/** Bytes that are not what their place says they are. The message names the rule, never content. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code = 'malformed';
}

/** The result of reading; undefined when the bytes are malformed. */
export function ifWellFormed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
