import { randomUUID } from 'node:crypto';
import type { EvidenceReader } from '../checkers/evidence-reader.ts';
import { fieldsOf, textAt, typeOf } from '../checkers/evidence.ts';
import type { AcknowledgedStop } from '../checkers/no-send-after-stop.ts';
import type { ServiceName } from '@assent/cli';
import { type SoakPlatform, until } from '../platform/soak-platform.ts';
import { write, type WriteOutcome, type WriteRequest } from './acknowledged-writes.ts';
import {
  CAPTURE_POINT,
  NOTICE,
  OFFERS,
  PUBLIC_CODE,
  PURPOSE,
  PURPOSE_ID,
  reservedNumber,
  RULE_SET,
  SENDER,
  SENDER_ID,
  TEMPLATES,
  ZONE,
} from './cast.ts';
import { textMessage } from './whatsapp-webhooks.ts';

const SIMULATOR_TIMEOUT_MS = 10_000;
const CATALOGUE_TIMEOUT_MS = 60_000;
/** Requests under way at a time when many are made. */
const CONCURRENCY = 16;

export interface Person {
  readonly phone: string;
  readonly subjectId: string;
}

export type Role = 'capture' | 'sender' | 'operator' | 'auditor' | 'privacy' | 'admin';

/**
 * A platform that sends offers: its sender, templates, purpose, notice, capture point and rules are published, and
 * people can be made who have opted in. Every write is sent until it is answered.
 */
export class World {
  readonly #platform: SoakPlatform;
  readonly #evidence: EvidenceReader;
  /** Every STOP that was acknowledged on this platform; whoever tells one adds it. */
  readonly stops: AcknowledgedStop[] = [];
  #people = 0;

  private constructor(platform: SoakPlatform, evidence: EvidenceReader) {
    this.#platform = platform;
    this.#evidence = evidence;
  }

  /** Once for each platform. */
  static async open(platform: SoakPlatform, evidence: EvidenceReader): Promise<World> {
    const world = new World(platform, evidence);
    const positions = [await world.#publish('dispatch', '/v1/senders', SENDER)];
    for (const template of TEMPLATES) {
      await world.#publish('dispatch', '/v1/templates', template);
      await world.simulator('POST', '/templates', asPlatformKnows(template));
    }
    await world.#publish('dispatch', '/v1/rule-sets', RULE_SET);
    positions.push(await world.#publish('consent', '/v1/purposes', PURPOSE));
    positions.push(await world.#publish('consent', '/v1/notices', NOTICE));
    positions.push(await world.#publish('consent', '/v1/capture-points', CAPTURE_POINT, positions.join(', ')));
    await world.#untilConsentKnows(positions.join(', '));
    return world;
  }

  /** The base URLs of a service's processes. */
  urls(service: ServiceName): readonly string[] {
    return this.#platform.partsOf(service).map((part) => this.#platform.url(part));
  }

  /** A JSON write to any process of a service, repeated until it is answered. */
  post(
    service: ServiceName,
    path: string,
    o: { kind: string; role: Role; json: unknown; subjectId?: string; key?: string; minPosition?: string } & Pick<
      WriteRequest,
      'patienceMs' | 'onTry'
    >,
  ): Promise<WriteOutcome> {
    const { kind, role, json, key = randomUUID(), minPosition, ...rest } = o;
    return write({
      ...rest,
      kind,
      urls: this.urls(service).map((url) => `${url}${path}`),
      headers: {
        authorization: `Bearer local-${role}`,
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(minPosition === undefined ? {} : { 'assent-min-position': minPosition }),
      },
      body: JSON.stringify(json),
    });
  }

  /** A signed webhook to any process of consent, repeated until it is answered, as WhatsApp does. */
  webhook(
    kind: string,
    signed: { body: string; headers: Readonly<Record<string, string>> },
    o: { subjectId?: string } & Pick<WriteRequest, 'patienceMs' | 'onTry'> = {},
  ): Promise<WriteOutcome> {
    return write({ ...o, kind, urls: this.urls('consent').map((url) => `${url}/webhooks/whatsapp`), ...signed });
  }

  /** One call of the simulator's control API. */
  async simulator<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#platform.url('simulator')}/simulator${path}`, {
      method,
      signal: AbortSignal.timeout(SIMULATOR_TIMEOUT_MS),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`the simulator answered ${response.status} to ${method} ${path.split('/')[1] ?? ''}`);
    return (await response.json()) as T;
  }

  /** Numbers that nobody has used on this platform. */
  numbers(count: number): string[] {
    return Array.from({ length: count }, () => reservedNumber(this.#people++));
  }

  /**
   * New people who have opted in with a double opt-in, half by a form and half by a keyword of their own; each presses
   * Yes by itself. Resolves when every grant is in the log.
   *
   * @throws Error when somebody's grant does not come
   */
  async optIn(count: number, timeoutMs = 120_000): Promise<Person[]> {
    const phones = this.numbers(count);
    const people = await inTurn(phones, async (phone, index) => {
      await this.simulator('POST', '/people', { phone, behaviour: { autoConfirmAfterMs: 5 } });
      return index % 2 === 0 ? this.#askByForm(phone) : this.#askByKeyword(phone);
    });
    const missing = new Set(people.map(({ subjectId }) => subjectId));
    const end = this.#evidence.onRecord((record) => {
      if (typeOf(record) === 'consent.granted.v1') missing.delete(textAt(fieldsOf(record), 'subjectId') ?? '');
    });
    await until(() => (missing.size === 0 ? true : undefined), timeoutMs);
    end();
    if (missing.size > 0) throw new Error(`${missing.size} of ${count} people have no grant after ${timeoutMs} ms`);
    return people;
  }

  /** Asks for one offer to one person, due at an instant (epoch ms; absent: now). */
  async offer(
    person: Person,
    o: { dueAtMs?: number; text?: string; key?: string; patienceMs?: number } = {},
  ): Promise<WriteOutcome> {
    const schedule = o.dueAtMs === undefined ? { kind: 'now' } : { kind: 'at', at: new Date(o.dueAtMs).toISOString() };
    return this.post('dispatch', '/v1/dispatches', {
      kind: 'dispatch',
      role: 'sender',
      subjectId: person.subjectId,
      ...(o.key === undefined ? {} : { key: o.key }),
      ...(o.patienceMs === undefined ? {} : { patienceMs: o.patienceMs }),
      json: {
        recipient: { phone: person.phone },
        purposeId: PURPOSE_ID,
        senderId: SENDER_ID,
        template: OFFERS,
        parameters: [o.text ?? 'one'],
        schedule,
      },
    });
  }

  async #askByForm(phone: string): Promise<Person> {
    const outcome = await this.post('consent', '/v1/consents', {
      kind: 'opt-in',
      role: 'capture',
      json: { recipient: { phone }, capturePoint: PUBLIC_CODE, method: 'form', timeZone: ZONE },
    });
    return { phone, subjectId: answeredSubject(outcome) };
  }

  /** The zone is told beside it: a message does not say where somebody is. */
  async #askByKeyword(phone: string): Promise<Person> {
    const said = textMessage({
      phone,
      wamid: `wamid.join-${randomUUID()}`,
      text: CAPTURE_POINT.keyword,
      atMs: Date.now(),
    });
    await this.webhook('opt-in', said);
    const outcome = await write({
      kind: 'preferences',
      method: 'PUT',
      urls: this.urls('consent').map((url) => `${url}/v1/preferences`),
      headers: { authorization: 'Bearer local-capture', 'content-type': 'application/json' },
      body: JSON.stringify({ recipient: { phone }, timeZone: ZONE }),
    });
    return { phone, subjectId: answeredSubject(outcome) };
  }

  /** Until then a keyword is no keyword, and a STOP is one for an unknown sender. */
  async #untilConsentKnows(positions: string): Promise<void> {
    const headers = { authorization: 'Bearer local-admin', 'assent-min-position': positions };
    const asked = async (): Promise<true | undefined> => {
      const response = await fetch(`${this.urls('consent')[0] ?? ''}/v1/capture-points`, { headers });
      await response.arrayBuffer();
      return response.ok ? true : undefined;
    };
    const known = await until(() => asked().catch(() => undefined), CATALOGUE_TIMEOUT_MS);
    if (known === undefined) throw new Error('consent does not know what was published');
  }

  async #publish(service: ServiceName, path: string, json: object, minPosition?: string): Promise<string> {
    const seen = minPosition === undefined ? {} : { minPosition };
    const outcome = await this.post(service, path, { kind: 'publish', role: 'admin', json, ...seen });
    if (outcome.outcome !== 'acknowledged') throw new Error(`${path} was not published: ${JSON.stringify(outcome)}`);
    return outcome.write.ids['position'] ?? '';
  }
}

/** Runs `act` for each item, some at a time; answers in the order of the items. */
export async function inTurn<T, R>(
  items: readonly T[],
  act: (item: T, index: number) => Promise<R>,
  concurrency: number = CONCURRENCY,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await act(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
  return results;
}

function answeredSubject(outcome: WriteOutcome): string {
  if (outcome.outcome !== 'acknowledged') throw new Error(`an opt-in was not taken: ${JSON.stringify(outcome)}`);
  const { subjectId, subjectIds } = outcome.write.ids;
  const found = subjectId ?? subjectIds;
  if (found === undefined) throw new Error('an opt-in names nobody');
  return found;
}

/** Which button withdraws is Assent's knowledge, not WhatsApp's. */
function asPlatformKnows(template: (typeof TEMPLATES)[number]): object {
  const buttons = 'buttons' in template ? template.buttons.map(({ kind, text }) => ({ kind, text })) : undefined;
  return { ...template, ...(buttons === undefined ? {} : { buttons }) };
}
