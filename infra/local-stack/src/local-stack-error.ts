export type LocalStackErrorCode =
  | 'prerequisites-missing'
  | 'preparation-failed'
  | 'data-folder-in-use'
  | 'not-started'
  | 'not-ready'
  | 'port-taken'
  | 'not-restartable';

/** Why the local stack cannot do what was asked; the message is meant for the person at the terminal. */
export class LocalStackError extends Error {
  override readonly name = 'LocalStackError';

  constructor(
    readonly code: LocalStackErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Why a server that should listen on `port` ended, by what it logged. */
export function notStarted(name: string, port: number, log: string): LocalStackError {
  return /address already in use/i.test(log)
    ? portTaken(name, port)
    : new LocalStackError('not-ready', `${name} did not start on port ${port}:\n${tailOf(log)}`);
}

export function portTaken(name: string, port: number): LocalStackError {
  const message = `port ${port} on 127.0.0.1, meant for ${name}, is taken by another process; end it or choose another`;
  return new LocalStackError('port-taken', message);
}

const LOG_TAIL_LINES = 15;

/** The end of a log, for a person. */
export function tailOf(log: string): string {
  return log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
