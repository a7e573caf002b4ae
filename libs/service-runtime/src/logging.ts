import type { LoggerService } from '@nestjs/common';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

/**
 * Names whose values never reach a log, at whatever depth: the fields of our own shapes and of WhatsApp's that can hold
 * an address, a text, a token or a key. Compared in lower case.
 */
const REDACTED_NAMES: ReadonlySet<string> = new Set([
  'authorization', 'cookie', 'token', 'secret', 'password', 'keys', 'pepper',
  'phone', 'to', 'from', 'recipient', 'waid', 'wa_id', 'bsuid', 'address', 'e164', 'input', 'user_id', 'profile', 'contacts', 'messages',
  'body', 'text', 'payload', 'parameters', 'caption', 'value', 'evidence', 'rawbody', 'data', 'html', 'url', 'query',
]); // prettier-ignore

/** Deeper than this nothing is logged: our own fields are flat, only foreign objects go deeper. */
const LOGGED_DEPTH_MAX = 5;

const REDACTED = '[redacted]';

/**
 * A copy of `value` without personal data. One walk over a small object: pino's own `redact` with wildcard paths to the
 * same depth costs fifty times as much per line.
 */
function redact(value: unknown, depth = 1): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (depth > LOGGED_DEPTH_MAX || ArrayBuffer.isView(value)) return REDACTED;
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [
      name,
      REDACTED_NAMES.has(name.toLowerCase()) ? REDACTED : redact(child, depth + 1),
    ]),
  );
}

/** A run of digits as long as a phone number, with or without a plus. */
const NUMBER = /\+?\d[\d -]{6,}\d/g;

/** Longest error text kept, characters. */
const ERROR_TEXT_MAX = 4_000;

/** Most causes of an error that are followed. */
const CAUSES_MAX = 3;

const scrub = (text: string): string => text.slice(0, ERROR_TEXT_MAX).replaceAll(NUMBER, '[number]');

/** An error as it is logged: no properties of its own but `code`, since drivers hang whole documents on theirs. */
function errorForLog(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    message: scrub(error.message),
    stack: (error.stack ?? '').split('\n').slice(1).map((line) => line.trim()).slice(0, 20),
    ...(error.cause !== undefined && depth < CAUSES_MAX ? { cause: errorForLog(error.cause, depth + 1) } : {}),
  }; // prettier-ignore
}

/** Lines that wait while standard output takes none, characters; what comes on top is lost. */
const WAITING_MAX = 1_048_576;

const STANDARD_OUTPUT = 1;

/**
 * A full disk below the log must not end a service that can do its work without: its lines wait, and the newest are lost
 * when there are too many.
 */
function output(fd: number): DestinationStream {
  const lines = pino.destination({ dest: fd, sync: true, maxLength: WAITING_MAX });
  lines.on('error', () => undefined);
  return lines;
}

/**
 * The service's logger: JSON lines on standard output, no personal data.
 *
 * @param options.name the service
 * @param options.level pino level, or 'silent'
 * @param options.destination for tests: where the lines go instead, a stream or a file descriptor
 */
export function createLogger(options: {
  name: string;
  level: string;
  destination?: DestinationStream | number;
}): Logger {
  const settings = {
    level: options.level,
    base: { service: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redact(fields) as Record<string, unknown>,
    },
    serializers: {
      err: (error: unknown) => errorForLog(error),
      error: (error: unknown) => errorForLog(error),
      req: () => undefined,
      res: () => undefined,
    },
  };
  const { destination = STANDARD_OUTPUT } = options;
  return pino(settings, typeof destination === 'number' ? output(destination) : destination);
}

/** Gives Nest's own log lines to pino. */
export class NestLogs implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...context: unknown[]): void {
    this.#write('debug', message, context);
  }
  debug(message: unknown, ...context: unknown[]): void {
    this.#write('debug', message, context);
  }
  verbose(message: unknown, ...context: unknown[]): void {
    this.#write('trace', message, context);
  }
  warn(message: unknown, ...context: unknown[]): void {
    this.#write('warn', message, context);
  }
  error(message: unknown, ...context: unknown[]): void {
    this.#write('error', message, context);
  }
  fatal(message: unknown, ...context: unknown[]): void {
    this.#write('fatal', message, context);
  }

  #write(level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal', message: unknown, context: readonly unknown[]): void {
    const from = context.at(-1);
    const fields = {
      ...(typeof from === 'string' ? { context: from } : {}),
      ...(message instanceof Error ? { err: message } : {}),
    };
    this.#logger[level](fields, scrub(message instanceof Error ? message.message : String(message)));
  }
}
