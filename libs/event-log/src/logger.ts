/** What this library needs of a logger; pino's shape. Fields never hold keys, values or header contents of records. */
export interface EventLogLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const ignore = (): void => undefined;

export const silentLogger: EventLogLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Name and code of an error; its text stays out of the log because a handler's error may quote what it handled. */
export function errorFields(error: unknown): { errorName: string; errorCode?: string } {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const { code, type } = error as { code?: unknown; type?: unknown };
  const known = [type, code].find((item) => typeof item === 'string');
  return known === undefined ? { errorName: error.name } : { errorName: error.name, errorCode: known };
}
