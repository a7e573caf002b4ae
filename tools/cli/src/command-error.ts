/** Exit codes of the command line, from sysexits.h where there is one. */
export const EXIT = { ok: 0, failed: 1, usage: 64, unavailable: 69, interrupted: 130 } as const;

/** Why a command can't go on, in words for the person at the terminal. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}
