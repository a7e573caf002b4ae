import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withdrawalEffectiveAt } from '@assent/consent-state';
import {
  type AnyEvent,
  dataSchemaOf,
  encodeEvent,
  type EventData,
  type EventType,
  messageIdOf,
  type Position,
  type RecordedEvent,
  topicOf,
} from '@assent/contracts';
import type { EventLog } from '@assent/event-log';
import { AddressKeys, addressesOf, parsePeppers } from '@assent/identity';
import type { Barrier, Projector } from '@assent/projection';
import { seal, type SubjectKey, UNWRAP_KEYS_PATH, unwrapKeysAnswer } from '@assent/sealing';
import { DEMO_RULE_SET, type RuleSet } from '@assent/send-rules';
import { Appender, type Clock, DB, EVENT_LOG, LOGGER, NEW_ID, type NewId, systemClock } from '@assent/service-runtime';
import { startTestService, startTestStack, type TestService, type TestStack, waitUntil } from '@assent/testing';
import { type Simulator, startSimulator } from '@assent/whatsapp-simulator';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { WhatsappClient } from './call-whatsapp/whatsapp-client.ts';
import { Claims } from './claims/claims.ts';
import { DispatchConfig } from './config.ts';
import { DispatchModule } from './dispatch.module.ts';
import { GateReader } from './gate/gate-reader.ts';
import { RecipientLookup } from './recipients/recipient-lookup.ts';
import { DispatchMetrics } from './send-due-dispatches/dispatch-metrics.ts';
import { OpenDispatch } from './send-due-dispatches/open-dispatch.ts';
import { receiptDispatchId, SendDispatch, type SendDispatchDeps } from './send-due-dispatches/send-dispatch.ts';
import { SenderRates } from './sender-rate/sender-rate.ts';
import { BARRIER, DISPATCH_PROJECTOR, GATE_VERSIONS } from './tokens.ts';

export const TENANT = 'acme';
export const SENDER = '100000000000001';
export const OFFER = { name: 'tea_offer', language: 'en' };
export const CONFIRM = { name: 'confirm_opt_in', language: 'en' };
export const RECEIPT = { name: 'stop_receipt', language: 'en' };
const PEPPERS = `spec:${Buffer.alloc(32, 7).toString('base64')}`;
const HOUR_MS = 3_600_000;

export type EventOf<T extends EventType> = Extract<RecordedEvent, { type: T }>;

/** The machine's time, moved forward by what a test asks for; the monotonic clock is not moved. */
export class ShiftedClock implements Clock {
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  shift(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** The consent service's key endpoint, as strict as the real one; keys exist for the people a test made. */
export class ConsentKeys {
  readonly keys = new Map<string, Uint8Array | 'gone'>();
  isDown = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const isKnown = request.method === 'POST' && request.url === UNWRAP_KEYS_PATH;
      const isAllowed = request.headers.authorization === 'Bearer local-service';
      if (this.isDown || !isKnown || !isAllowed) {
        response.writeHead(this.isDown ? 503 : isKnown ? 401 : 404).end();
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { subjectIds } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { subjectIds: string[] };
        const found = subjectIds.map((subjectId): [string, SubjectKey] => {
          const key = this.keys.get(subjectId);
          if (key === undefined) return [subjectId, { state: 'unknown' }];
          return [subjectId, key === 'gone' ? { state: 'gone' } : { state: 'live', key }];
        });
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify(unwrapKeysAnswer(new Map(found))));
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface Person {
  readonly subjectId: string;
  readonly phone: string;
  readonly addressKey: string;
  readonly key: Uint8Array;
}

/** Numbers +1 555-01xx of so many area codes are enough for a spec file; 202 555 0100 is the simulated business. */
const AREA_CODES = ['212', '303', '312', '404', '415', '503', '512', '617', '702', '713', '808'];

/** A zone in which it is `hour` o'clock now; offsets of whole hours from UTC. */
export function zoneWhereItIs(hour: number): string {
  const utcHour = new Date(systemClock.now()).getUTCHours();
  const ahead = ((hour - utcHour + 36) % 24) - 12;
  return ahead === 0 ? 'Etc/UTC' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

/** A broker, a store, the key endpoint and WhatsApp, with the policy and the catalogue of one tenant in the log. */
export class DispatchWorld {
  readonly clock = new ShiftedClock();
  readonly #addressKeys = new AddressKeys(parsePeppers(PEPPERS));
  readonly #folder = mkdtempSync(join(tmpdir(), 'assent-dispatch-'));
  readonly #services = new Set<TestService>();
  #people = 0;

  private constructor(
    readonly stack: TestStack,
    readonly consent: ConsentKeys,
    readonly consentUrl: string,
    readonly whatsapp: Simulator,
  ) {}

  static async start(): Promise<DispatchWorld> {
    const consent = new ConsentKeys();
    const [stack, consentUrl, whatsapp] = await Promise.all([
      startTestStack(),
      consent.start(),
      startSimulator({ port: 0, appSecret: 'local-app-secret', verifyToken: 'local-verify-token', statusDelayMs: 1 }),
    ]);
    const world = new DispatchWorld(stack, consent, consentUrl, whatsapp);
    try {
      await world.#publish();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#services].map((service) => service.stop()));
    await Promise.all([this.stack.stop(), this.consent.stop(), this.whatsapp.close()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async service(env: Readonly<Record<string, string>> = {}): Promise<TestService> {
    const service = await startTestService({
      stack: this.stack,
      name: 'dispatch',
      configClass: DispatchConfig,
      module: DispatchModule,
      clock: this.clock,
      env: {
        ASSENT_PEPPERS: PEPPERS,
        CONSENT_INTERNAL_URL: this.consentUrl,
        WHATSAPP_API_URL: this.whatsapp.url,
        WHATSAPP_ACCESS_TOKEN: 'local-access-token',
        DISPATCH_REQUEST_KEYS_FILE: join(this.#folder, 'request-keys.json'),
        ...env,
      },
    });
    this.#services.add(service);
    return service;
  }

  /** Appends one fact with an id of its own. */
  async append<T extends EventType>(
    type: T,
    key: string,
    data: EventData[T],
    at = systemClock.now(),
  ): Promise<Position> {
    const event = {
      id: randomUUID(),
      source: '/spec',
      type,
      time: new Date(at).toISOString(),
      tenant: TENANT,
      partitionKey: key,
      dataSchema: dataSchemaOf(type),
      data,
    } as unknown as AnyEvent;
    const [position] = await this.stack.log.append([encodeEvent(topicOf(type), event)]);
    if (position === undefined) throw new Error('an append answered no position');
    return position;
  }

  async events<T extends EventType>(type: T): Promise<EventOf<T>[]> {
    const found = await this.stack.events(topicOf(type));
    return found.filter((event): event is EventOf<T> => event.type === type);
  }

  /** The events of one dispatch in order of the log. */
  async trail(dispatchId: string): Promise<string[]> {
    const found = await this.stack.events('dispatch.events');
    return found.filter(({ data }) => 'dispatchId' in data && data.dispatchId === dispatchId).map(({ type }) => type);
  }

  /** Somebody with a number, whose consent nobody has asked for yet; it is noon where they are. */
  async person(options: { zone?: string } = {}): Promise<Person> {
    const area = AREA_CODES[this.#people % AREA_CODES.length] ?? '';
    const phone = `+1${area}55501${String(Math.floor(this.#people / AREA_CODES.length)).padStart(2, '0')}`;
    this.#people += 1;
    const subjectId = randomUUID();
    const key = randomBytes(32);
    this.consent.keys.set(subjectId, key);
    this.whatsapp.registerPerson({ phone });
    const [address] = addressesOf({ phone });
    if (address === undefined) throw new Error('a number is an address');
    const addressKey = this.#addressKeys.keyOf(TENANT, address);
    await this.append('subject.address-registered.v1', subjectId, {
      subjectId,
      addressKey,
      kind: 'phone',
      sealedAddress: seal(key, TENANT, subjectId, 'address', address.canonical),
    });
    const timeZone = options.zone ?? zoneWhereItIs(12);
    await this.append('preferences.changed.v1', subjectId, { subjectId, timeZone });
    return { subjectId, phone, addressKey, key };
  }

  async grant({ subjectId }: Person, requestedAt = systemClock.now() - 60_000): Promise<Position> {
    return this.append('consent.granted.v1', subjectId, {
      subjectId,
      grantId: randomUUID(),
      purposeIds: ['news'],
      basis: 'confirmed',
      requestId: randomUUID(),
      requestedAt: new Date(requestedAt).toISOString(),
      grantedAt: new Date(requestedAt).toISOString(),
      noticeId: 'news',
      noticeVersion: 1,
      method: 'keyword',
      senderId: SENDER,
    });
  }

  /** Somebody who agreed to `news`. */
  async subscriber(options: { zone?: string } = {}): Promise<Person> {
    const person = await this.person(options);
    await this.grant(person);
    return person;
  }

  /** The person says STOP; resolves when it is acknowledged. */
  async stopped(
    { subjectId }: Person,
    {
      receiptDue = false,
      withdrawalId = randomUUID(),
      agoMs = 0,
    }: { receiptDue?: boolean; withdrawalId?: string; agoMs?: number } = {},
  ): Promise<{ position: Position; withdrawalId: string; receiptId: string }> {
    const occurredAt = new Date(systemClock.now() - agoMs).toISOString();
    const position = await this.append('consent.withdrawn.v1', subjectId, {
      subjectId,
      withdrawalId,
      scope: { kind: 'all' },
      lane: 'person',
      method: 'keyword',
      occurredAt,
      effectiveAt: withdrawalEffectiveAt(occurredAt, 1_000),
      senderId: SENDER,
      messageId: messageIdOf(`wamid.${withdrawalId}`),
      receiptDue,
    });
    return { position, withdrawalId, receiptId: receiptDispatchId(TENANT, withdrawalId) };
  }

  async asked(
    { subjectId, addressKey, key }: Person,
    { selfStarted = false, requestedAt = systemClock.now() }: { selfStarted?: boolean; requestedAt?: number } = {},
  ): Promise<string> {
    const requestId = randomUUID();
    const confirmation = { payload: `CONFIRM|${requestId.slice(0, 8)}|news|1`, url: 'https://acme.example/c/planted' };
    await this.append('consent.requested.v1', subjectId, {
      subjectId,
      requestId,
      addressKey,
      purposeIds: ['news'],
      category: 'marketing',
      capturePointId: 'web',
      noticeId: 'news',
      noticeVersion: 1,
      language: 'en',
      method: selfStarted ? 'keyword' : 'form',
      selfStarted,
      senderId: SENDER,
      requestedAt: new Date(requestedAt).toISOString(),
      expiresAt: new Date(requestedAt + 7 * 24 * HOUR_MS).toISOString(),
      confirmationTemplate: CONFIRM,
      sealedConfirmation: seal(key, TENANT, subjectId, 'confirmation', JSON.stringify(confirmation)),
    });
    return requestId;
  }

  /** What WhatsApp told consent about a call of ours. */
  async reported(callbackData: string, status: 'sent' | 'delivered' | 'read' | 'failed', code?: number): Promise<void> {
    const [attemptId = '', dispatchId = '', subjectId = ''] = callbackData.split('.');
    await this.append('whatsapp.status-received.v1', messageIdOf(callbackData), {
      senderId: SENDER,
      messageId: messageIdOf(callbackData),
      status,
      statusAt: new Date(Math.floor(systemClock.now() / 1_000) * 1_000).toISOString(),
      attemptId,
      dispatchId,
      subjectId,
      ...(code === undefined ? {} : { errors: [{ code }] }),
    });
  }

  /**
   * A send step as the service has it, for another owner of its partition: two hours ahead of the plans that the service
   * keeps, and what it is told to have otherwise.
   */
  sendStep(
    { app }: TestService,
    change: Partial<Omit<SendDispatchDeps, 'barrier'>> & { barrier?: Pick<Barrier, 'reach'> },
  ): SendDispatch {
    const get = <T>(token: symbol | (abstract new (...args: never[]) => T)): T => app.get<T>(token, { strict: false });
    const clock = { now: () => this.clock.now() + 2 * HOUR_MS, monotonicMs: () => this.clock.monotonicMs() };
    const db = get<Connection>(DB);
    const barrier = change.barrier ?? get<Barrier>(BARRIER);
    const gate = new GateReader({
      db,
      log: get<EventLog>(EVENT_LOG),
      barrier,
      projector: get<Projector>(DISPATCH_PROJECTOR),
      recipients: get(RecipientLookup),
    });
    return new SendDispatch({
      db,
      clock,
      gate,
      newId: get<NewId>(NEW_ID),
      appender: get(Appender),
      claims: get(Claims),
      rates: get(SenderRates),
      whatsapp: get(WhatsappClient),
      open: get(OpenDispatch),
      versions: get(GATE_VERSIONS),
      metrics: new DispatchMetrics(new Registry(), () => clock.now()),
      epochs: { epochOf: () => Promise.resolve(0) },
      clockCheck: { offByMs: () => Promise.resolve(0) },
      logger: get<Logger>(LOGGER),
      ...change,
      barrier,
    });
  }

  /** Calls that reached WhatsApp for this person. */
  callsTo({ phone }: Person): { template: string | undefined; callbackData: string }[] {
    return this.whatsapp
      .calls()
      .filter(({ to }) => to === phone)
      .map(({ template, bizOpaqueCallbackData }) => ({ template, callbackData: bizOpaqueCallbackData ?? '' }));
  }

  /** Rules that nobody has to sign off. */
  publishRules(ruleSet: RuleSet): Promise<Position> {
    const { id: ruleSetId, version, effectiveFrom } = ruleSet;
    const rules = ruleSet as unknown as Record<string, unknown>;
    return this.append('rule-set.published.v1', ruleSetId, { ruleSetId, version, rules, effectiveFrom });
  }

  async #publish(): Promise<void> {
    const template = (name: string, category: 'marketing' | 'utility', body: string, bodyParameters: number) => {
      const pressed = { buttons: [{ kind: 'quick-reply' as const, text: 'Press' }] };
      const data = { name, language: 'en', category, body, bodyParameters, ...(name === RECEIPT.name ? {} : pressed) };
      this.whatsapp.registerTemplate(data);
      return data;
    };
    await this.append('sender.registered.v1', SENDER, {
      senderId: SENDER,
      portfolioId: '200000000000001',
      displayName: 'Acme',
      ratePerSecond: 50,
      receiptTemplate: RECEIPT,
    });
    for (const data of [
      template(OFFER.name, 'marketing', 'Tea for {{1}}', 1),
      template(CONFIRM.name, 'utility', 'May we write? {{1}}', 1),
      template(RECEIPT.name, 'utility', 'You are out.', 0),
    ]) {
      await this.append('template.registered.v1', data.name, data);
    }
    await this.publishRules(DEMO_RULE_SET);
    const purpose = { purposeId: 'news', name: 'News', description: 'Tea', category: 'marketing' as const };
    await this.append('purpose.published.v1', 'news', purpose);
  }
}

/** A request for one message to this person. */
export function offerTo(person: Pick<Person, 'phone'>, change: object = {}): Record<string, unknown> {
  return {
    recipient: { phone: person.phone },
    purposeId: 'news',
    senderId: SENDER,
    template: OFFER,
    parameters: ['Planted Name'],
    ...change,
  };
}

export interface AskedDispatch {
  readonly dispatchId: string;
  readonly status: string;
  readonly dueAt?: string;
  readonly position: string;
  readonly reasons: readonly { code: string; text: string; ref?: string }[];
}

/** Asks for a message, with the answer it must get. */
export async function ask(service: TestService, body: object): Promise<AskedDispatch> {
  const answer = await service.request('POST', '/v1/dispatches', { role: 'sender', body });
  if (answer.status !== 202) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as AskedDispatch;
}

export async function find(service: TestService, dispatchId: string): Promise<Record<string, unknown>> {
  return (await service.request('GET', `/v1/dispatches/${dispatchId}`, { role: 'sender' })).body as Record<
    string,
    unknown
  >;
}

export function waitForStatus(service: TestService, dispatchId: string, status: string): Promise<unknown> {
  return waitUntil(
    `dispatch is ${status}`,
    async () => {
      const found = await find(service, dispatchId);
      if (found['status'] === status) return found;
      throw new Error(`it is ${String(found['status'])}: ${JSON.stringify(found['reasons'])}`);
    },
    { timeoutMs: 40_000 },
  );
}
