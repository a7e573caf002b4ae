import { applyDecorators, SetMetadata } from '@nestjs/common';
import { FastifyAdapter, RouteConfig } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { LogController } from 'fastify';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { tenantOf } from './access.ts';
import { randomId } from './identifiers.ts';
import type { HttpMetrics } from './metrics.ts';
import { Problem } from './problem.ts';
import { problemOf, replyProblem } from './problem-details.ts';
import { parseStrictJson } from './strict-json.ts';

/** Largest JSON body, bytes: a bulk check of 1,000 recipients is a tenth of it. */
export const BODY_LIMIT_BYTES = 1_048_576;
/** Largest form body, bytes: our pages have a handful of fields. */
const FORM_LIMIT_BYTES = 16_384;
/** Longest path parameter, characters: page tokens are up to 400. */
const PARAMETER_LENGTH_MAX = 1_024;
/** Time a client has to send a whole request, ms. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Idle time of a kept connection, ms: above the 60 s of common load balancers, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

const RAW_JSON_LIMIT = 'assent:raw-json-limit-bytes';

/**
 * The route gets the untouched bytes of a JSON body in `request.rawBody` (a Buffer, empty without a body) and no parsed
 * body: nothing is refused but a body above `limitBytes`. For webhooks, whose signature covers the bytes and whose
 * faults are the handler's to deal with.
 */
export const RawJson = (options: { limitBytes: number }): MethodDecorator =>
  applyDecorators(
    SetMetadata(RAW_JSON_LIMIT, options.limitBytes),
    RouteConfig({ [RAW_JSON_LIMIT]: options.limitBytes }),
  );

/** The limit in bytes of a handler that asked for raw bytes. */
export const rawJsonLimitOf = (handler: object): number | undefined =>
  Reflect.getMetadata(RAW_JSON_LIMIT, handler) as number | undefined;

const rawLimitOf = (request: { routeOptions: { config: unknown } }): number | undefined =>
  (request.routeOptions.config as Readonly<Record<string, number | undefined>> | undefined)?.[RAW_JSON_LIMIT];

const tooLarge = (limitBytes: number): Problem =>
  new Problem({
    status: 413,
    code: 'body-too-large',
    title: 'The body is too large',
    detail: `Send at most ${String(limitBytes)} bytes.`,
  });

/** The Fastify adapter of every service: own request log, own answers to URLs the router cannot read. */
export function fastifyAdapter(logger: Logger): FastifyAdapter {
  return new FastifyAdapter({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    genReqId: randomId,
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    frameworkErrors: (error: unknown, request: { id: string }, reply: FastifyReply) => {
      replyProblem(reply, request.id, problemOf(error).problem);
    },
  });
}

/**
 * Registers the body parsers. JSON is read strictly unless the route asked for raw bytes.
 *
 * @param rawLimitBytes the largest limit any raw route asked for, 0 without one
 */
export function useStrictBodies(app: NestFastifyApplication, rawLimitBytes: number): void {
  app.getHttpAdapter().getInstance().removeContentTypeParser('text/plain');
  app.useBodyParser(
    'application/json',
    { bodyLimit: Math.max(BODY_LIMIT_BYTES, rawLimitBytes) },
    (request, bytes, done) => {
      const rawLimit = rawLimitOf(request);
      const limitBytes = rawLimit ?? BODY_LIMIT_BYTES;
      try {
        if (bytes.length > limitBytes) throw tooLarge(limitBytes);
        if (rawLimit !== undefined) (request as { rawBody?: Buffer }).rawBody = bytes;
        done(null, rawLimit === undefined ? parseStrictJson(bytes) : undefined);
      } catch (error) {
        done(error as Error, undefined);
      }
    },
  );
  app.useBodyParser('application/x-www-form-urlencoded', { bodyLimit: FORM_LIMIT_BYTES }, (_request, bytes, done) => {
    try {
      done(null, parseForm(bytes));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
}

/** Most fields of a form. */
const FORM_FIELDS_MAX = 50;

/** A form's fields by name; a name given more than once becomes a list. */
function parseForm(bytes: Uint8Array): Record<string, string | string[]> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(Buffer.from(bytes).toString('utf8')))
    fields.set(name, [...(fields.get(name) ?? []), value]);
  if (fields.size > FORM_FIELDS_MAX || fields.has('__proto__')) {
    throw new Problem({
      status: 400,
      code: 'malformed-form',
      title: 'The form is malformed',
      detail: `Send at most ${String(FORM_FIELDS_MAX)} fields.`,
    });
  }
  return Object.fromEntries(
    [...fields].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/** Answers are not kept, not guessed at and not told to others, unless a handler says otherwise. */
const ANSWER_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** What looks at requests, and the word that the service is stopping. */
export interface RequestObservers {
  logger: Logger;
  metrics: HttpMetrics;
  isStopping: () => boolean;
}

/** Adds headers, one log line and one measurement per request. The line names the route's template, never the URL. */
export function observeRequests(app: NestFastifyApplication, { logger, metrics, isStopping }: RequestObservers): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.headers(ANSWER_HEADERS);
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // A kept connection would hold the shutdown up until its idle time has passed.
    if (isStopping()) void reply.header('connection', 'close');
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? '(none)' : (request.routeOptions.url ?? '(none)');
    const { statusCode: status, elapsedTime } = reply;
    metrics.observe(request.method, route, status, elapsedTime / 1_000);
    const line = {
      method: request.method,
      route,
      status,
      durationMs: Math.round(elapsedTime * 10) / 10,
      requestId: request.id,
      tenant: tenantOf(request),
    };
    logger[isProbe(route) ? 'debug' : 'info'](line, 'request');
    done();
  });
}

const isProbe = (route: string): boolean => ['/livez', '/readyz', '/startupz', '/metrics'].includes(route);
