import { Catch, HttpException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { AppendError, ReadError } from '@assent/event-log';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { mongo } from 'mongoose';
import type { Logger } from 'pino';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { Problem } from './problem.ts';

/** When a caller may try again after a 503, seconds: a broker or store restart takes about as long. */
const RETRY_AFTER_S = '2';

/** Problems that come from Fastify and Nest themselves, by status. */
const PROTOCOL_PROBLEMS: Readonly<Record<number, readonly [code: string, title: string, detail: string]>> = {
  400: ['malformed-request', 'The request is malformed', 'Check the request line, the headers and the body.'],
  404: ['no-such-route', 'There is no such route', 'See /openapi.json for the calls of this service.'],
  408: ['request-timeout', 'The request took too long to arrive', 'Send the whole request within the time limit.'],
  413: ['body-too-large', 'The body is too large', 'Send a smaller body.'],
  414: ['url-too-long', 'The URL is too long', 'Send a shorter URL.'],
  415: ['unsupported-media-type', 'The body has an unsupported type', 'Send content-type application/json.'],
};

/** Fastify's own codes that say more than the status. */
const FRAMEWORK_PROBLEMS: Readonly<Record<string, readonly [code: string, title: string, detail: string]>> = {
  FST_ERR_BAD_URL: ['malformed-url', 'The URL is malformed', 'Percent-encode the URL as UTF-8.'],
};

const unavailable = (code: string, title: string): Problem =>
  new Problem({
    status: 503,
    code,
    title,
    detail: 'Nothing was acknowledged; try again.',
    headers: { 'retry-after': RETRY_AFTER_S },
  });

function protocolProblem(status: number, frameworkCode?: string): Problem {
  const known = FRAMEWORK_PROBLEMS[frameworkCode ?? ''] ?? PROTOCOL_PROBLEMS[status];
  const [code, title, detail] = known ?? [
    `http-${String(status)}`,
    'The request is refused',
    'See /openapi.json for the calls of this service.',
  ];
  return new Problem({ status, code, title, detail });
}

function appendProblem(error: AppendError): Problem {
  if (error.code !== 'record-too-large' && error.code !== 'append-too-large')
    return unavailable('log-unavailable', 'The log did not take the facts');
  return new Problem({
    status: 413,
    code: 'facts-too-large',
    title: 'The facts are too large',
    detail: 'Send less in one request; nothing was recorded.',
  });
}

const isStoreFailure = (error: Error): boolean =>
  error instanceof mongo.MongoNetworkError ||
  error instanceof mongo.MongoServerSelectionError ||
  error instanceof mongo.MongoNotConnectedError ||
  error instanceof mongo.MongoWriteConcernError ||
  error instanceof mongo.MongoOperationTimeoutError ||
  error instanceof mongo.MongoTopologyClosedError ||
  error instanceof mongo.MongoClientClosedError ||
  // mongoose's own, while it has no connection
  error.name === 'MongooseServerSelectionError' ||
  (error.name === 'MongooseError' && error.message.includes('initial connection'));

/**
 * What the caller is told about an error. Unknown errors become 500 `internal-error` without a word of their own text,
 * which may hold personal data; `known` is false for them.
 */
export function problemOf(error: unknown): { problem: Problem; known: boolean } {
  if (error instanceof Problem) return { problem: error, known: true };
  if (error instanceof AppendError) return { problem: appendProblem(error), known: true };
  if (error instanceof ReadError)
    return { problem: unavailable('log-unavailable', 'The log did not answer'), known: true };
  if (error instanceof HttpException) {
    const cause = (error as { cause?: { code?: string } }).cause;
    return { problem: protocolProblem(error.getStatus(), cause?.code), known: error.getStatus() < 500 };
  }
  if (error instanceof Error && isStoreFailure(error))
    return { problem: unavailable('store-unavailable', 'The store did not answer'), known: true };
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { problem: protocolProblem(statusCode, typeof code === 'string' ? code : undefined), known: true };
  }
  const detail = 'The request failed on our side. Quote "instance" when you ask about it.';
  return {
    problem: new Problem({ status: 500, code: 'internal-error', title: 'Internal error', detail }),
    known: false,
  };
}

/** Answers with `application/problem+json`. */
export function replyProblem(reply: FastifyReply, requestId: string, problem: Problem): void {
  void reply
    .status(problem.status)
    .headers(problem.headers)
    .type('application/problem+json; charset=utf-8')
    // A string, so that Fastify sends it as it is whatever serializer a route has.
    .send(JSON.stringify(problem.toBody(requestId)));
}

/** The one exception filter: every error of an HTTP request becomes a problem; errors of Kafka handlers go on to the strategy. */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== 'http') return throwError(() => error);
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { problem, known } = problemOf(error);
    if (!known) this.#logger.error({ err: error, requestId: request.id }, 'a request failed');
    else if (problem.status >= 500)
      this.#logger.warn({ err: error, requestId: request.id, problem: problem.code }, 'a request could not be served');
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.end();
    } else {
      replyProblem(reply, request.id, problem);
    }
    return undefined;
  }
}
