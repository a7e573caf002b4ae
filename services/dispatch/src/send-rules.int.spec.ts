import { jest } from '@jest/globals';
import { Checkpoints } from '@assent/projection';
import {
  type CapRule,
  type ConsentLifeRule,
  DEMO_RULE_SET,
  type Rule,
  type RuleSet,
  type WindowsRule,
} from '@assent/send-rules';
import { DB } from '@assent/service-runtime';
import { type TestAnswer, type TestService, waitUntil } from '@assent/testing';
import type { Connection } from 'mongoose';
import { ask, type AskedDispatch, DispatchWorld, find, offerTo, TENANT, waitForStatus } from './dispatch.fixture.ts';
import { SEND_LOOP_READER } from './send-due-dispatches/send-loop.ts';
import type { SenderRates } from './sender-rate/sender-rate.ts';

jest.setTimeout(90_000);

/** Work of several seconds on a machine that does other things, too. */
const PATIENT = { timeoutMs: 40_000 };

let world: DispatchWorld;
let service: TestService;

beforeAll(async () => {
  world = await DispatchWorld.start();
  service = await world.service({ DISPATCH_SECOND_PERSON_TENANTS: JSON.stringify([TENANT]) });
  await service.caughtUp();
}, 120_000);

afterAll(async () => {
  await world.stop();
}, 60_000);

const call = (
  method: 'GET' | 'POST',
  path: string,
  role: 'admin' | 'operator',
  body?: object,
  minPosition?: string,
): Promise<TestAnswer> =>
  service.request(method, path, {
    role,
    ...(body === undefined ? {} : { body }),
    ...(minPosition === undefined ? {} : { headers: { 'assent-min-position': minPosition } }),
  });
const positionOf = ({ body }: TestAnswer): string => (body as { position: string }).position;
const instantIn = (ms: number): string => new Date(Date.now() + ms).toISOString();
const inMs = (ms: number): object => ({ schedule: { kind: 'at', at: instantIn(ms) } });

const FRAME = {
  jurisdiction: '*',
  channel: 'any-electronic',
  status: 'active',
  sources: [{ kind: 'own', reference: 'the tenant' }],
  verifiedOn: '2026-11-01',
  confidence: 'high',
} as const;
const ONE_A_DAY: CapRule = {
  ...FRAME,
  id: 'one-a-day',
  kind: 'cap',
  attemptsMax: 1,
  windowHours: 24,
  per: ['purpose'],
};
const NEVER: WindowsRule = { ...FRAME, id: 'never', kind: 'windows', weekdays: {}, holidays: 'as-weekday' };

function rulesOf(id: string, version: number, more: readonly Rule[]): RuleSet {
  const effectiveFrom = new Date(Date.now() - 1_000).toISOString();
  return { ...DEMO_RULE_SET, id, version, effectiveFrom, rules: [...DEMO_RULE_SET.rules, ...more] };
}

describe('a blackout', () => {
  it('holds what is queued from its answer on, and lets it go when it ends', async () => {
    const person = await world.subscriber();
    await service.caughtUp();
    const { dispatchId } = await ask(service, offerTo(person, inMs(1_000)));
    const declared = await call('POST', '/v1/blackouts', 'operator', { jurisdictions: ['US'], reason: 'Mourning' });
    expect(declared.status).toBe(201);
    const { blackoutId } = declared.body as { blackoutId: string };
    await waitForStatus(service, dispatchId, 'held');
    const held = (await world.events('dispatch.held.v1')).find(({ data }) => data.dispatchId === dispatchId);
    expect(JSON.stringify(held?.data.reasons)).toContain('Mourning');
    expect(world.callsTo(person)).toEqual([]);
    const ended = await call('POST', `/v1/blackouts/${blackoutId}/end`, 'operator', undefined, positionOf(declared));
    expect(ended.status).toBe(200);
    await waitForStatus(service, dispatchId, 'sent');
    const listed = await call('GET', '/v1/blackouts', 'admin', undefined, positionOf(ended));
    expect(listed.body).toMatchObject({ blackouts: [{ blackoutId, endedBy: 'local-operator' }] });
  });
});

describe('what an operator says about places', () => {
  it.each([
    ['a blackout of no country', '/v1/blackouts', { jurisdictions: ['US', 'ZZ'] }, 'unknown-jurisdiction'],
    [
      'a blackout that ends before it begins',
      '/v1/blackouts',
      { from: instantIn(9_000_000), until: instantIn(8_000_000) },
      'invalid-blackout',
    ],
    ['a blackout that is over', '/v1/blackouts', { until: instantIn(-1_000) }, 'invalid-blackout'],
    ['a blackout from a day that does not exist', '/v1/blackouts', { from: '2031-02-31T00:00:00Z' }, 'invalid-request'],
    ['a holiday of no country', '/v1/holidays', { jurisdiction: 'ZZ' }, 'unknown-jurisdiction'],
  ])('is refused, and nothing kept, when it is %s', async (_, path, change, code) => {
    const fitting = path.endsWith('holidays')
      ? { date: '2026-12-24', holiday: true, name: 'Eve' }
      : { jurisdictions: ['CH'], reason: 'Mourning' };
    const refused = await call('POST', path, 'operator', { ...fitting, ...change });
    expect(refused).toMatchObject({ status: code === 'invalid-request' ? 400 : 422, body: { code } });
    const listed = await call('GET', path, 'admin');
    expect(JSON.stringify(listed.body)).not.toMatch(/ZZ|CH/);
  });
});

describe('a rule set of the shape before', () => {
  it('is published in the present shape', async () => {
    const windows = [{ id: 'noon', weekdays: { monday: [['12:00', '14:00']] } }];
    const effectiveFrom = new Date(Date.now() + 86_400_000 * 300).toISOString();
    const before = { id: 'before', version: 1, effectiveFrom, windows, exempt: [] };
    const published = await call('POST', '/v1/rule-sets', 'operator', before);
    expect(published.status).toBe(201);
    const listed = await call('GET', '/v1/rule-sets', 'admin', undefined, positionOf(published));
    const sets = (listed.body as { ruleSets: { id: string; rules: RuleSet }[] }).ruleSets;
    expect(sets.find(({ id }) => id === 'before')?.rules).toMatchObject({ base: 'none', rules: [{ id: 'noon' }] });
    expect((await call('POST', '/v1/rule-sets', 'operator', before)).status).toBe(201);
  });
});

describe('a time of the person’s own day', () => {
  it('is another instant once the person is elsewhere', async () => {
    const person = await world.subscriber({ zone: 'Etc/GMT+3' });
    await service.caughtUp();
    const date = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    const {
      dispatchId,
      dueAt = '',
      position,
    } = await ask(service, offerTo(person, { schedule: { kind: 'local', date, time: '09:00' } }));
    await call('GET', '/v1/blackouts', 'admin', undefined, position);
    const { subjectId } = person;
    await world.append('preferences.changed.v1', subjectId, { subjectId, timeZone: 'Etc/GMT+6' });
    await waitUntil(
      'it is planned three hours later',
      async () => {
        const found = await find(service, dispatchId);
        const laterMs = Date.parse(String(found['dueAt'])) - Date.parse(dueAt);
        return found['status'] === 'planned' && laterMs === 3 * 3_600_000 ? found : undefined;
      },
      PATIENT,
    );
  });
});

describe('a cap', () => {
  it('lets one of several through that become due at once', async () => {
    await world.publishRules(rulesOf('capped', 1, [ONE_A_DAY]));
    await service.caughtUp();
    const person = await world.subscriber();
    await service.caughtUp();
    const due = inMs(4_000);
    const asked: AskedDispatch[] = [];
    for (let count = 0; count < 4; count += 1) asked.push(await ask(service, offerTo(person, due)));
    const delayed = await waitUntil(
      'one is sent and the others wait',
      async () => {
        const found = await Promise.all(asked.map(({ dispatchId }) => find(service, dispatchId)));
        const waiting = found.filter(({ status, isDelayed }) => status === 'planned' && isDelayed === true);
        return found.some(({ status }) => status === 'sent') && waiting.length === 3 ? waiting : undefined;
      },
      PATIENT,
    );
    expect(world.callsTo(person)).toHaveLength(1);
    for (const { reasons, dueAt } of delayed) {
      expect(JSON.stringify(reasons)).toContain('capped@1#one-a-day');
      expect(Date.parse(String(dueAt)) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    }
  });

  it('lets nothing through that was decided on before somebody else took the partition', async () => {
    const person = await world.subscriber();
    await service.caughtUp();
    const later = inMs(3_600_000);
    const first = await ask(service, offerTo(person, later));
    const second = await ask(service, offerTo(person, later));
    await service.caughtUp();
    const { log } = world.stack;
    const owned = { topic: 'dispatch.events', partition: log.partitionFor('dispatch.events', person.subjectId) };
    const epochs = new Checkpoints({
      db: service.app.get<Connection>(DB, { strict: false }),
      reader: SEND_LOOP_READER,
    });
    const epoch = (await epochs.epochOf(owned)) ?? 0;
    let goOn: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (goOn = resolve));
    let hasDecided: () => void = () => undefined;
    const decided = new Promise<void>((resolve) => (hasDecided = resolve));
    const rates = {
      take: async () => {
        hasDecided();
        await released;
        return 0;
      },
    } as unknown as SenderRates;
    const replaced = world.sendStep(service, { rates, epochs, gateValidMs: 30_000 });
    const ending = replaced.execute(first.dispatchId, () => epoch);
    await decided;
    await epochs.take([owned]);
    await world.sendStep(service, {}).execute(second.dispatchId, () => epoch + 1_000);
    goOn();
    await ending;
    expect(world.callsTo(person)).toHaveLength(1);
    expect(await world.trail(first.dispatchId)).toContain('dispatch.attempt-abandoned.v1');
    expect(await world.trail(second.dispatchId)).toContain('dispatch.attempt-sent.v1');
  });
});

describe('a consent that lapses', () => {
  it('is on the list of those to ask for again, by subjectId only, and is not sent on', async () => {
    const life: ConsentLifeRule = {
      ...FRAME,
      id: 'two-months',
      kind: 'consent-life',
      basis: 'express',
      countsFrom: 'grant',
      monthsMax: 2,
    };
    await world.publishRules(rulesOf('lasting', 1, [life]));
    const [old, young, fresh] = [await world.person(), await world.person(), await world.subscriber()];
    await world.grant(old, Date.now() - 70 * 86_400_000);
    await world.grant(young, Date.now() - 50 * 86_400_000);
    await service.caughtUp();
    const answer = await call('GET', '/v1/consents/due-soon?withinDays=20', 'operator');
    const { consents } = answer.body as { consents: { subjectId: string; purposeId: string; hasLapsed: boolean }[] };
    expect(consents).toMatchObject([
      { subjectId: old.subjectId, purposeId: 'news', hasLapsed: true, ref: 'lasting@1#two-months' },
      { subjectId: young.subjectId, purposeId: 'news', hasLapsed: false },
    ]);
    expect(JSON.stringify(answer.body)).not.toContain(old.phone.slice(1));
    const refused = await ask(service, offerTo(old));
    expect([refused.status, refused.reasons[0]?.code]).toEqual(['refused', 'consent-lapsed']);
    expect((await ask(service, offerTo(fresh))).status).toBe('planned');
  });
});

describe('a rule set of a tenant that wants a second person', () => {
  it('runs in shadow and reports, decides after a sign-off by somebody else, and what it held goes when it is replaced', async () => {
    const published = await call('POST', '/v1/rule-sets', 'admin', rulesOf('closed', 1, [NEVER]));
    expect(published.status).toBe(201);
    const path = '/v1/rule-sets/closed/versions/1';
    const position = positionOf(published);
    const listed = await call('GET', '/v1/rule-sets', 'admin', undefined, position);
    expect((listed.body as { ruleSets: object[] }).ruleSets).toContainEqual(
      expect.objectContaining({ id: 'closed', stage: 'in-shadow', publishedBy: 'local-admin', needsSignOff: true }),
    );
    const first = await world.subscriber();
    await service.caughtUp();
    const { dispatchId } = await ask(service, offerTo(first));
    await waitForStatus(service, dispatchId, 'sent');
    const { body: report } = await call('GET', `${path}/shadow-report`, 'admin');
    // What earlier tests left is decided on under the two of them as well.
    const samples: unknown = expect.arrayContaining([dispatchId]);
    expect(report).toMatchObject({ ruleSetId: 'closed', changes: [{ verdict: 'allow', would: 'hold', samples }] });

    const refused = { status: 409, body: { code: 'second-person-needed' } };
    expect(await call('POST', `${path}/activation`, 'admin', {})).toMatchObject(refused);
    expect(await call('POST', `${path}/sign-offs`, 'admin', {})).toMatchObject(refused);
    const signed = await call('POST', `${path}/sign-offs`, 'operator', { note: 'Compared with the memo.' });
    expect(signed.status).toBe(201);
    const activated = await call('POST', `${path}/activation`, 'admin', {}, positionOf(signed));
    expect(activated.status).toBe(201);
    const second = await world.subscriber();
    await service.caughtUp();
    const held = await ask(service, offerTo(second));
    expect(held.status).toBe('held');

    await world.publishRules(rulesOf('open', 1, []));
    await waitForStatus(service, held.dispatchId, 'sent');
  });
});
