import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Fault } from '../faults/faults.ts';
import { isGraphErrorCode } from '../graph-error.ts';
import { NoSuchButtonError, UnknownPhoneNumberError } from '../people/act-as-person.ts';
import { UnknownPersonError, type PersonInput } from '../people/people.ts';
import type { PhoneNumber } from '../phone-numbers.ts';
import type { Template } from '../send-message/templates.ts';
import type { PersonMessage, Simulator } from '../simulator-api.ts';
import * as schemas from './control.schemas.ts';

interface Wait {
  readonly after?: number;
  readonly min?: number;
  readonly waitMs?: number;
}
interface ByPerson {
  Params: { person: string };
}

/** `/simulator/…`: people, templates, faults and logs, for tests and demos on the same machine only. */
export function controlRoutes(simulator: Simulator) {
  return (app: FastifyInstance, _options: object, done: () => void): void => {
    app.addHook('onRequest', refuseOtherMachines);
    app.setErrorHandler(answerError);
    peopleRoutes(app, simulator);
    platformRoutes(app, simulator);
    logRoutes(app, simulator);
    done();
  };
}

function peopleRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.post<{ Body: PersonInput }>('/people', { schema: { body: schemas.person } }, async (request, reply) =>
    reply.code(201).send(simulator.registerPerson(request.body)),
  );
  app.get('/people', (_request, reply) => reply.send({ people: simulator.people() }));
  app.get<ByPerson>('/people/:person', (request, reply) => reply.send(simulator.person(request.params.person)));
  app.post<ByPerson & { Body: PersonMessage }>(
    '/people/:person/messages',
    { schema: { body: schemas.personMessage } },
    async (request, reply) => reply.code(202).send(simulator.act(request.params.person, request.body)),
  );
  app.get<ByPerson & { Querystring: Wait }>(
    '/people/:person/inbox',
    { schema: { querystring: schemas.wait } },
    async (request) => {
      const { min = 0, waitMs = 0 } = request.query;
      const { person } = request.params;
      await simulator.until(() => simulator.inbox(person).total >= min, waitMs);
      return simulator.inbox(person);
    },
  );
}

function platformRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.post<{ Body: Template }>('/templates', { schema: { body: schemas.template } }, async (request, reply) => {
    simulator.registerTemplate(request.body);
    return reply.code(201).send(request.body);
  });
  app.get('/templates', (_request, reply) => reply.send({ templates: simulator.templates() }));
  app.post<{ Body: PhoneNumber }>(
    '/phone-numbers',
    { schema: { body: schemas.phoneNumber } },
    async (request, reply) => {
      simulator.registerPhoneNumber(request.body);
      return reply.code(201).send(request.body);
    },
  );
  app.get('/phone-numbers', (_request, reply) => reply.send({ phoneNumbers: simulator.phoneNumbers() }));
  app.post<{ Body: Fault }>('/faults', { schema: { body: schemas.fault } }, async (request, reply) => {
    const fault = request.body;
    if ('code' in fault && !isGraphErrorCode(fault.code)) {
      return reply.code(400).send({ error: { code: 'unknown-error-code', message: `${fault.code} is not simulated` } });
    }
    simulator.addFault(fault);
    return reply.code(201).send(fault);
  });
  app.get('/faults', (_request, reply) => reply.send({ faults: simulator.faults() }));
  app.delete('/faults', async (_request, reply) => {
    simulator.clearFaults();
    return reply.code(204).send();
  });
  app.put<{ Body: { url: string } }>('/webhook', { schema: { body: schemas.webhook } }, (request, reply) => {
    simulator.setWebhookUrl(request.body.url);
    return reply.send({ url: request.body.url });
  });
  app.post<{ Body: { verifyToken?: string } | null }>(
    '/verify-webhook',
    { schema: { body: schemas.verifyWebhook } },
    async (request) => simulator.verifyWebhook(request.body?.verifyToken),
  );
  app.post<{ Body: { field: string; value: object; phoneNumberId?: string; time?: number } }>(
    '/updates',
    { schema: { body: schemas.update } },
    async (request, reply) => {
      simulator.sendUpdate(request.body);
      return reply.code(202).send({});
    },
  );
  app.post('/reset', async (_request, reply) => {
    simulator.reset();
    return reply.code(204).send();
  });
}

function logRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.get<{ Querystring: Wait }>('/calls', { schema: { querystring: schemas.wait } }, async (request) => {
    const { after = 0, min = 0, waitMs = 0 } = request.query;
    const newer = () => simulator.calls().filter(({ seq }) => seq > after);
    await simulator.until(() => newer().length >= min, waitMs);
    return { total: simulator.callsTotal(), calls: newer() };
  });
  app.get<{ Querystring: Wait & { settled?: boolean } }>(
    '/webhooks',
    { schema: { querystring: schemas.wait } },
    async (request) => {
      const { after = 0, min = 0, waitMs = 0, settled = false } = request.query;
      const newer = () => simulator.webhooks().filter(({ seq }) => seq > after);
      await simulator.until(() => newer().length >= min && (!settled || simulator.isSettled()), waitMs);
      return { settled: simulator.isSettled(), backlog: simulator.webhookBacklog(), webhooks: newer() };
    },
  );
}

/** The control API has no credentials; it answers this machine only, whatever address the server listens on. */
async function refuseOtherMachines(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const address = request.socket.remoteAddress ?? '';
  if (address === '::1' || /^(::ffff:)?127\./.test(address)) return undefined;
  return reply
    .code(403)
    .send({ error: { code: 'loopback-only', message: 'the control API answers this machine only' } });
}

function answerError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = error instanceof Error ? error.message : 'unknown error';
  const [status, code] = statusOf(error);
  return reply.code(status).send({ error: { code, message } });
}

function statusOf(error: unknown): [status: number, code: string] {
  if (error instanceof UnknownPersonError || error instanceof UnknownPhoneNumberError) return [404, error.code];
  if (error instanceof NoSuchButtonError) return [409, error.code];
  if (error instanceof RangeError) return [429, 'too-many'];
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  return status < 500 ? [status, 'invalid-request'] : [500, 'internal'];
}
