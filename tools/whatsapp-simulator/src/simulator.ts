import type { AddressInfo } from 'node:net';

import { fastify } from 'fastify';

import { CallLog } from './call-log/call-log.ts';
import { FirstByteTimes } from './call-log/first-byte.ts';
import { Changes } from './changes.ts';
import { systemClock, type Clock } from './clock.ts';
import { controlRoutes } from './control-api/control.routes.ts';
import { Faults } from './faults/faults.ts';
import { GraphError } from './graph-error.ts';
import { phoneNumberOf, pressButton, setPreference, writeMessage } from './people/act-as-person.ts';
import { People, type Person } from './people/people.ts';
import { DEFAULT_PHONE_NUMBER, type PhoneNumber } from './phone-numbers.ts';
import { messagesRoutes } from './send-message/messages.routes.ts';
import { RateLimits } from './send-message/rate-limits.ts';
import { Templates } from './send-message/templates.ts';
import type { PersonMessage, PersonView, Simulator } from './simulator-api.ts';
import { Timers } from './timers.ts';
import { verifyWebhook } from './webhooks/verify-webhook.ts';
import { WebhookSender } from './webhooks/webhook-sender.ts';
import type { PlatformBehaviour, World } from './world.ts';

export interface SimulatorOptions extends Partial<PlatformBehaviour> {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Where webhooks go; until it is known (`setWebhookUrl`), they wait. */
  readonly webhookUrl?: string;
  readonly appSecret: string;
  readonly verifyToken: string;
  readonly phoneNumbers?: readonly PhoneNumber[];
  /** Takes templates that nobody registered. Default false. */
  readonly acceptAnyTemplate?: boolean;
  /** Messages a second that one business number may send. Default 80, as at Meta. */
  readonly throughputPerSecond?: number;
  /** Updates in one webhook POST at most. Default 100; Meta's is 1,000. */
  readonly webhookBatchMax?: number;
  /** How long an update waits for others to share its POST, in ms. Default 5. */
  readonly webhookBatchWindowMs?: number;
  /** Webhook POSTs under way at once. Default 4. */
  readonly webhookInFlightMax?: number;
  /** Wait before the second retry of a webhook, doubled each time, in ms. Default 100. */
  readonly webhookRetryBaseMs?: number;
  /** Every call is appended to this file as a JSON line. */
  readonly callLogFile?: string;
  readonly clock?: Clock;
}

/** Starts the server. Rejects when the port is taken or the call log cannot be written. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const world = worldOf(options);
  const callLog = new CallLog(options.callLogFile, () => {
    world.changes.notify();
  });
  const app = fastify({
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    ajv: { customOptions: { removeAdditional: false, discriminator: true } },
  });
  const firstByte = new FirstByteTimes(app.server, world.clock);
  const host = options.host ?? '127.0.0.1';
  const simulator = {
    ...simulatorOf(world, callLog, options),
    url: '',
    port: 0,
    close: async () => {
      world.timers.clear();
      world.webhooks.close();
      await app.close();
      callLog.close();
    },
  };
  app.get('/livez', (_request, reply) => reply.send({ status: 'ok' }));
  app.setNotFoundHandler((request, reply) => {
    const error = new GraphError(2500, `Unknown path components: ${request.url}`);
    return reply.code(error.httpStatus).send(error.body());
  });
  await app.register(messagesRoutes(world, callLog, firstByte));
  await app.register(controlRoutes(simulator), { prefix: '/simulator' });
  await app.listen({ port: options.port, host });
  const { port } = app.server.address() as AddressInfo;
  return Object.assign(simulator, { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` });
}

function worldOf(options: SimulatorOptions): World {
  const changes = new Changes();
  const notify = () => {
    changes.notify();
  };
  const clock = options.clock ?? systemClock;
  const phoneNumbers = options.phoneNumbers ?? [DEFAULT_PHONE_NUMBER];
  return {
    clock,
    changes,
    behaviour: {
      unknownRecipients: options.unknownRecipients ?? 'undeliverable',
      stopErrorIn: options.stopErrorIn ?? 'status',
      statusDelayMs: options.statusDelayMs ?? 20,
      ...(options.accessToken === undefined ? {} : { accessToken: options.accessToken }),
    },
    phoneNumbers: new Map(phoneNumbers.map((phoneNumber) => [phoneNumber.id, phoneNumber])),
    people: new People(),
    templates: new Templates(options.acceptAnyTemplate ?? false),
    rateLimits: new RateLimits(options.throughputPerSecond ?? 80),
    faults: new Faults(),
    timers: new Timers(notify),
    webhooks: new WebhookSender(
      {
        ...(options.webhookUrl === undefined ? {} : { url: options.webhookUrl }),
        appSecret: options.appSecret,
        batchMax: options.webhookBatchMax ?? 100,
        batchWindowMs: options.webhookBatchWindowMs ?? 5,
        inFlightMax: options.webhookInFlightMax ?? 4,
        retryBaseMs: options.webhookRetryBaseMs ?? 100,
      },
      clock,
      notify,
    ),
  };
}

function simulatorOf(
  world: World,
  callLog: CallLog,
  options: SimulatorOptions,
): Omit<Simulator, 'url' | 'port' | 'close'> {
  const { people, templates, faults, webhooks, timers, changes, rateLimits } = world;
  return {
    ...peopleOf(world),
    ...platformOf(world, options),
    calls: () => callLog.list(),
    callsTotal: () => callLog.total,
    webhooks: () => webhooks.list(),
    webhookBacklog: () => webhooks.backlog(),
    isSettled: () => {
      const { queued, inFlight, retrying } = webhooks.backlog();
      return timers.size === 0 && queued === 0 && inFlight === 0 && retrying === 0;
    },
    until: (holds, timeoutMs) => changes.until(holds, timeoutMs),
    reset: () => {
      timers.clear();
      people.clear();
      templates.clear();
      faults.clear();
      rateLimits.clear();
    },
  };
}

type PeopleMethods = Pick<Simulator, 'registerPerson' | 'person' | 'people' | 'act' | 'inbox'>;
function peopleOf(world: World): PeopleMethods {
  const { people } = world;
  return {
    registerPerson: (person) => viewOf(people.register(person)),
    person: (address) => viewOf(people.get(address)),
    people: () => people.list().map(viewOf),
    act: (address, message) => act(world, people.get(address), message),
    inbox: (address) => {
      const { inbox } = people.get(address);
      return { total: inbox.total, messages: inbox.items() };
    },
  };
}

type PlatformMethods = Pick<
  Simulator,
  | 'registerTemplate'
  | 'templates'
  | 'registerPhoneNumber'
  | 'phoneNumbers'
  | 'addFault'
  | 'faults'
  | 'clearFaults'
  | 'setWebhookUrl'
  | 'verifyWebhook'
  | 'sendUpdate'
>;
function platformOf(world: World, options: SimulatorOptions): PlatformMethods {
  const { templates, faults, webhooks, phoneNumbers } = world;
  return {
    registerTemplate: (template) => {
      templates.register(template);
    },
    templates: () => templates.list(),
    registerPhoneNumber: (phoneNumber) => {
      phoneNumbers.set(phoneNumber.id, phoneNumber);
    },
    phoneNumbers: () => [...phoneNumbers.values()],
    addFault: (fault) => {
      faults.add(fault);
    },
    faults: () => faults.list(),
    clearFaults: () => {
      faults.clear();
    },
    setWebhookUrl: (url) => {
      webhooks.setUrl(url);
    },
    verifyWebhook: async (verifyToken) => {
      const url = webhooks.getUrl();
      if (url === undefined) return { verified: false, error: 'no webhook url' };
      return verifyWebhook(url, verifyToken ?? options.verifyToken);
    },
    sendUpdate: ({ field, value, phoneNumberId, time }) => {
      const { wabaId } = phoneNumberOf(world, phoneNumberId);
      const summary = { field, kind: 'other' } as const;
      webhooks.enqueue({ wabaId, change: { field, value }, summary, ...(time === undefined ? {} : { time }) });
    },
  };
}

function act(world: World, person: Person, message: PersonMessage): { messageId?: string } {
  const { text, button, preference, raw, answers, phoneNumberId, atMs } = message;
  const addressing = {
    ...(phoneNumberId === undefined ? {} : { phoneNumberId }),
    ...(atMs === undefined ? {} : { atMs }),
  };
  if (preference !== undefined) {
    setPreference(world, person, preference, addressing);
    return {};
  }
  if (button !== undefined) return { messageId: pressButton(world, person, { ...button, ...addressing }) };
  const { type, ...content } = raw ?? { type: 'text', text: { body: text ?? '' } };
  const answering = answers === undefined ? {} : { answers };
  return { messageId: writeMessage(world, person, { type, content, ...answering, ...addressing }) };
}

function viewOf(person: Person): PersonView {
  return {
    key: person.key,
    ...(person.phone === undefined ? {} : { phone: person.phone }),
    ...(person.waId === undefined ? {} : { waId: person.waId }),
    bsuid: person.bsuid,
    name: person.name,
    hidesPhone: person.hidesPhone,
    behaviour: person.behaviour,
    stoppedMarketing: [...person.stoppedMarketing],
  };
}
