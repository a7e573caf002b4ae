import { setTimeout as wait } from 'node:timers/promises';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { CallLog, CallOutcome } from '../call-log/call-log.ts';
import type { FirstByteTimes } from '../call-log/first-byte.ts';
import { GraphError } from '../graph-error.ts';
import { deliverMessage } from '../people/deliver-message.ts';
import type { PhoneNumber } from '../phone-numbers.ts';
import type { World } from '../world.ts';
import { acceptedResponse, acceptMessage } from './accept-message.ts';
import { parseOutgoingMessage, peekOutgoingMessage } from './outgoing-message.ts';

/** A message with its components is a few kB. */
const BODY_BYTES_MAX = 1_024 * 1_024;
/** A caller who never hears is let go after a minute, so that silent connections do not pile up. */
const SILENCE_MAX_MS = 60_000;

interface MessagesRoute {
  Params: { phoneNumberId: string };
}
type MessagesRequest = FastifyRequest<MessagesRoute>;

/** `POST /{version}/{phone-number-id}/messages`, with or without the version. Every call gets exactly one log entry. */
export function messagesRoutes(world: World, callLog: CallLog, firstByte: FirstByteTimes) {
  const settle = settlingOnce(callLog, firstByte);
  return (app: FastifyInstance, _options: object, done: () => void): void => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, parsed) => {
      parsed(null, body);
    });
    app.addHook('onRequest', (request, reply, next) => {
      if (world.faults.take('reset-before-body') === undefined) {
        next();
        return;
      }
      settle(request, { outcome: 'broken', reply: 'reset' });
      reset(request, reply);
    });
    app.addHook('onRequestAbort', (request, next) => {
      settle(request, { outcome: 'broken', reply: 'lost' });
      next();
    });
    app.setErrorHandler((error, request, reply) => {
      if (request.raw.socket.destroyed) settle(request, { outcome: 'broken', reply: 'lost' });
      const refusal = error instanceof GraphError ? error : graphErrorOf(error);
      const { httpStatus, code } = refusal;
      settle(request, { outcome: 'refused', reply: 'sent', httpStatus, errorCode: code });
      return reply.code(httpStatus).send(refusal.body());
    });
    const handle = (request: MessagesRequest, reply: FastifyReply) => takeMessage(world, settle, request, reply);
    app.post<MessagesRoute>('/:phoneNumberId/messages', handle);
    app.post<MessagesRoute>('/:version(^v\\d+\\.\\d+$)/:phoneNumberId/messages', handle);
    done();
  };
}

type Settle = (request: FastifyRequest, outcome: CallOutcome) => void;

function settlingOnce(callLog: CallLog, firstByte: FirstByteTimes): Settle {
  const settled = new WeakSet<object>();
  return (request, outcome) => {
    if (settled.has(request.raw)) return;
    settled.add(request.raw);
    callLog.append({
      ...firstByte.of(request.raw),
      phoneNumberId: (request as MessagesRequest).params.phoneNumberId,
      ...peekOutgoingMessage(bodyOf(request)),
      ...outcome,
    });
  };
}

/** Takes one message and answers as the faults want it. Throws `GraphError` when the platform refuses it. */
async function takeMessage(
  world: World,
  settle: Settle,
  request: MessagesRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const phoneNumber = senderOf(world, request);
  const error = world.faults.take('error');
  if (error !== undefined) {
    const { code, httpStatus } = error;
    throw new GraphError(code, 'Simulated error.', httpStatus === undefined ? {} : { httpStatus });
  }
  const accepted = acceptMessage(world, phoneNumber, parseOutgoingMessage(bodyOf(request)));
  deliverMessage(world, accepted);
  const { messageId } = accepted;
  if (world.faults.take('reset-after-body') !== undefined) {
    settle(request, { outcome: 'accepted', reply: 'reset', messageId });
    return reset(request, reply);
  }
  if (world.faults.take('lose-reply') !== undefined) {
    settle(request, { outcome: 'accepted', reply: 'lost', messageId });
    reply.hijack();
    request.raw.socket.setTimeout(SILENCE_MAX_MS, () => request.raw.socket.destroy());
    return reply;
  }
  const delay = world.faults.take('delay-reply');
  const replied = delay === undefined ? 'sent' : 'delayed';
  settle(request, { outcome: 'accepted', reply: replied, httpStatus: 200, messageId });
  if (delay !== undefined) await wait(delay.delayMs, undefined, { ref: false });
  return reply.code(200).send(acceptedResponse(accepted));
}

function reset(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return reply;
}

function senderOf(world: World, request: MessagesRequest): PhoneNumber {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const { accessToken } = world.behaviour;
  if (token === undefined || (accessToken !== undefined && token !== accessToken)) {
    throw new GraphError(190, 'Invalid OAuth access token - Cannot parse access token');
  }
  const { phoneNumberId } = request.params;
  const phoneNumber = world.phoneNumbers.get(phoneNumberId);
  if (phoneNumber === undefined) {
    const details = `Unsupported post request. Object with ID '${phoneNumberId}' does not exist.`;
    throw new GraphError(100, details, { subcode: 33 });
  }
  return phoneNumber;
}

/** Fastify's own refusals (a body that is too large) and everything unforeseen. */
function graphErrorOf(error: unknown): GraphError {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  return status < 500
    ? new GraphError(100, 'The request cannot be read.', { httpStatus: status })
    : new GraphError(131000, 'Something went wrong.');
}

function bodyOf(request: FastifyRequest): string {
  return Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
}
