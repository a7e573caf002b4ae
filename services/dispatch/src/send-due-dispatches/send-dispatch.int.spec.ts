import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import type { RecordBatch } from '@assent/event-log';
import type { Barrier } from '@assent/projection';
import { BatchConsumers } from '@assent/service-runtime';
import { type TestService, waitUntil } from '@assent/testing';
import { Registry } from 'prom-client';
import type { CallOutcome } from '../call-whatsapp/whatsapp-client.ts';
import { Claims } from '../claims/claims.ts';
import {
  ask,
  CONFIRM,
  DispatchWorld,
  find,
  OFFER,
  offerTo,
  type Person,
  SENDER,
  waitForStatus,
} from '../dispatch.fixture.ts';
import { BARRIER } from '../tokens.ts';
import { DispatchMetrics } from './dispatch-metrics.ts';
import { askDispatchId, type SendDispatch } from './send-dispatch.ts';

jest.setTimeout(90_000);

/** Above every epoch that a partition of a test reaches. */
const LATE_EPOCH = 1_000_000;
let world: DispatchWorld;
let service: TestService;

beforeAll(async () => {
  world = await DispatchWorld.start();
  service = await world.service();
}, 120_000);

afterAll(async () => {
  await world.stop();
}, 60_000);

const inMs = (ms: number): object => ({ schedule: { kind: 'at', at: new Date(Date.now() + ms).toISOString() } });
const get = <T>(token: symbol | (abstract new (...args: never[]) => T)): T =>
  service.app.get<T>(token, { strict: false });

/** A send step as the service has it, with another barrier, two hours ahead of the plans that the service keeps. */
const sendStep = (barrier: Pick<Barrier, 'reach'>, clockOffByMs = 0): SendDispatch =>
  world.sendStep(service, { barrier, clockCheck: { offByMs: () => Promise.resolve(clockOffByMs) } });

/** Says that everything is applied without having looked. */
const deafBarrier: Pick<Barrier, 'reach'> = {
  reach: () => Promise.resolve({ reached: {}, behind: [], waitedMs: 0 }),
};

/** Runs the work while no record of the topic is applied; the other topics go on. */
async function whileStandingStill(topic: string, work: () => Promise<void>): Promise<void> {
  const consumers = get(BatchConsumers);
  const apply = consumers.apply.bind(consumers);
  let goOn: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  consumers.apply = async (batch: RecordBatch): Promise<void> => {
    if (batch.topic === topic) await released;
    await apply(batch);
  };
  try {
    await work();
  } finally {
    consumers.apply = apply;
    goOn();
  }
}

const calls = (...people: Person[]): number[] => people.map((person) => world.callsTo(person).length);

describe('a STOP that is acknowledged and not applied yet', () => {
  it('holds a message that becomes due, and nothing leaves when it is applied', async () => {
    const person = await world.subscriber();
    const { dispatchId } = await ask(service, offerTo(person, inMs(1_500)));
    await service.caughtUp();
    await whileStandingStill('consent.events', async () => {
      await world.stopped(person);
      const held = await waitUntil('it is held', async () =>
        (await world.events('dispatch.held.v1')).find(({ data }) => data.dispatchId === dispatchId),
      );
      expect(held.data.reasons).toMatchObject([{ code: 'read-model-behind' }]);
    });
    const reasons = await waitUntil('it has ended', async () => {
      const found = await find(service, dispatchId);
      return ['refused', 'cancelled'].includes(String(found['status'])) ? found['reasons'] : undefined;
    });
    expect(reasons).toMatchObject([{ code: 'withdrawn' }]);
    expect(calls(person)).toEqual([0]);
  });

  it('would be overtaken if the barrier did not wait: this suite can see a violation', async () => {
    const people = [await world.subscriber(), await world.subscriber()] as const;
    const [heeded, overtaken] = await Promise.all(
      people.map((person) => ask(service, offerTo(person, inMs(3_600_000)))),
    );
    await service.caughtUp();
    await whileStandingStill('consent.events', async () => {
      for (const person of people) await world.stopped(person);
      await sendStep(get<Barrier>(BARRIER)).execute(heeded?.dispatchId ?? '', () => LATE_EPOCH);
      await sendStep(deafBarrier).execute(overtaken?.dispatchId ?? '', () => LATE_EPOCH);
    });
    expect(calls(...people)).toEqual([0, 1]);
    await service.caughtUp();
  });
});

describe('a STOP that is applied', () => {
  it('is reported with the time it took to get there', async () => {
    await world.stopped(await world.subscriber());
    await service.caughtUp();
    const { body } = await service.request('GET', '/metrics');
    expect(body).toMatch(/^optout_propagation_seconds_count\{service="dispatch"\} [1-9]/m);
    expect(body).toMatch(/^barrier_stale_end_offsets_total\{service="dispatch"\} 0$/m);
    expect(body).toMatch(/^gate_expired_calls_total\{service="dispatch"\} 0$/m);
  });
});

describe('a dispatch whose call is done', () => {
  it('is not called again by an owner that knows nothing of it and has not waited: its claim is not to be had', async () => {
    const person = await world.subscriber();
    const { dispatchId } = await ask(service, offerTo(person, inMs(3_600_000)));
    await service.caughtUp();
    await whileStandingStill('dispatch.events', async () => {
      await sendStep(deafBarrier).execute(dispatchId, () => LATE_EPOCH);
      await sendStep(deafBarrier).execute(dispatchId, () => LATE_EPOCH + 1);
    });
    expect(calls(person)).toEqual([1]);
    await waitForStatus(service, dispatchId, 'sent');
  });
});

describe('a call that may have begun late', () => {
  it('is counted and named when its process was frozen after the last look at the time', async () => {
    const registry = new Registry();
    const metrics = new DispatchMetrics(registry, () => 0);
    const warned: object[] = [];
    const step = (lateMs: number): SendDispatch =>
      world.sendStep(service, {
        metrics,
        logger: { warn: (facts: object) => void warned.push(facts) },
        whatsapp: {
          send: (_, beginBeforeMs) =>
            Promise.resolve({ kind: 'unknown', why: 'spec', begunAtMs: beginBeforeMs + lateMs }),
        },
      });
    const [inTime, late] = await Promise.all(
      [await world.subscriber(), await world.subscriber()].map((person) =>
        ask(service, offerTo(person, inMs(3_600_000))),
      ),
    );
    await service.caughtUp();
    await step(0).execute(inTime?.dispatchId ?? '', () => LATE_EPOCH);
    expect(warned).toEqual([]);
    await step(1_500).execute(late?.dispatchId ?? '', () => LATE_EPOCH);
    const intended = (await world.events('dispatch.attempt-intended.v1')).find(
      ({ data }) => data.dispatchId === late?.dispatchId,
    );
    expect(warned).toEqual([{ attemptId: intended?.data.attemptId, dispatchId: late?.dispatchId, lateMs: 1_500 }]);
    expect(await registry.metrics()).toContain('gate_expired_calls_total 1');
  });
});

describe('an attempt whose decision was too old before its call could begin', () => {
  it.each<[string, CallOutcome, readonly number[]]>([
    ['within seconds when we were slow', { kind: 'not-begun', why: 'too-late' }, [4, 8, 8]],
    ['after growing pauses when the provider was', { kind: 'not-begun', why: 'connected-late' }, [4, 8, 16]],
  ])('is made again %s', async (_, outcome, pausesS) => {
    const person = await world.subscriber();
    const { dispatchId } = await ask(service, offerTo(person, inMs(3_600_000)));
    await service.caughtUp();
    let now = world.clock.now() + 2 * 3_600_000;
    const clock = { now: () => now, monotonicMs: () => world.clock.monotonicMs() };
    const step = world.sendStep(service, { clock, whatsapp: { send: () => Promise.resolve(outcome) } });
    for (const pauseS of pausesS) {
      expect(await step.execute(dispatchId, () => LATE_EPOCH)).toBe(now + pauseS * 1_000);
      now += 60_000;
    }
    expect((await find(service, dispatchId))['reasons']).toMatchObject([{ code: 'gate-expired' }]);
  });
});

describe('a process whose clock is off', () => {
  it('sends nothing, refuses nothing and leaves the dispatch to a later look', async () => {
    const person = await world.subscriber();
    const { dispatchId } = await ask(service, offerTo(person, inMs(3_600_000)));
    await service.caughtUp();
    const before = await world.trail(dispatchId);
    const again = await sendStep(get<Barrier>(BARRIER), 2 * 3_600_000).execute(dispatchId, () => LATE_EPOCH);
    expect(again).toBeGreaterThan(0);
    expect(calls(person)).toEqual([0]);
    expect(await world.trail(dispatchId)).toEqual(before);
    await sendStep(get<Barrier>(BARRIER)).execute(dispatchId, () => LATE_EPOCH);
    expect(calls(person)).toEqual([1]);
  });
});

describe('an attempt that its owner did not end', () => {
  const intend = async (person: Person, attemptId: string): Promise<string> => {
    const { dispatchId } = await ask(service, offerTo(person, inMs(3_600_000)));
    const { subjectId, addressKey } = person;
    const decidedAt = new Date().toISOString();
    await world.append('dispatch.attempt-intended.v1', subjectId, {
      dispatchId,
      attemptId,
      subjectId,
      addressKey,
      class: 'message',
      cause: { kind: 'request', id: randomUUID() },
      senderId: SENDER,
      fence: 1,
      decidedAt,
      gate: {
        positions: {},
        ruleSet: 'demo@1',
        phoneMetadata: '1',
        tzdb: '1',
        zones: [],
        verdict: 'allow',
        decidedAt,
      },
    });
    return dispatchId;
  };
  const partitionOf = (person: Person): { topic: string; partition: number } => ({
    topic: 'dispatch.events',
    partition: world.stack.log.partitionFor('dispatch.events', person.subjectId),
  });
  const nameOf = (person: Person): string => `dispatch.events/${partitionOf(person).partition}`;

  it('is looked at again while its intent can not be seen, and not given up before', async () => {
    const [person, attemptId, fence] = [await world.subscriber(), randomUUID(), LATE_EPOCH];
    const { dispatchId } = await ask(service, offerTo(person, inMs(5 * 3_600_000)));
    await get(Claims).claim({ _id: dispatchId, fence, attemptId, partition: nameOf(person) });
    await get(Claims).startCalling(dispatchId, fence, attemptId);
    await service.caughtUp();
    const owned = { ...partitionOf(person), epoch: fence + 1 };
    await sendStep(get<Barrier>(BARRIER)).settleCalls(owned, () => false, true);
    expect(await get(Claims).find(dispatchId)).toMatchObject({ state: 'calling', attemptId });
  });

  it('is unknown when its call had begun, and not repeated', async () => {
    const [person, attemptId] = [await world.subscriber(), randomUUID()];
    const dispatchId = await intend(person, attemptId);
    const fence = LATE_EPOCH;
    expect(await get(Claims).claim({ _id: dispatchId, fence, attemptId, partition: nameOf(person) })).toBe('fresh');
    expect(await get(Claims).startCalling(dispatchId, fence, attemptId)).toBe(true);
    const step = sendStep(get<Barrier>(BARRIER));
    const owned = { ...partitionOf(person), epoch: fence + 1 };
    await step.settleCalls(owned, () => false, false);
    await step.settleCalls(owned, () => true, true);
    await service.caughtUp();
    expect((await find(service, dispatchId))['status']).toBe('attempting');
    await step.settleCalls(owned, () => false, true);
    await waitForStatus(service, dispatchId, 'unknown');
    await step.execute(dispatchId, () => fence + 1);
    expect(calls(person)).toEqual([0]);
  });

  it('is abandoned when its call had not begun, and another one is made', async () => {
    const [person, attemptId] = [await world.subscriber(), randomUUID()];
    const dispatchId = await intend(person, attemptId);
    await get(Claims).claim({ _id: dispatchId, fence: LATE_EPOCH, attemptId, partition: nameOf(person) });
    await service.caughtUp();
    const step = sendStep(get<Barrier>(BARRIER));
    expect(await step.execute(dispatchId, () => LATE_EPOCH + 1)).toBeDefined();
    await step.execute(dispatchId, () => LATE_EPOCH + 1);
    await waitForStatus(service, dispatchId, 'sent');
    expect(await world.trail(dispatchId)).toContain('dispatch.attempt-abandoned.v1');
    expect(calls(person)).toEqual([1]);
    expect(await get(Claims).startCalling(dispatchId, LATE_EPOCH, attemptId)).toBe(false);
  });

  it('is unknown when its claim is lost', async () => {
    const person = await world.subscriber();
    const dispatchId = await intend(person, randomUUID());
    await service.caughtUp();
    await sendStep(get<Barrier>(BARRIER)).execute(dispatchId, () => LATE_EPOCH);
    await waitForStatus(service, dispatchId, 'unknown');
    expect(calls(person)).toEqual([0]);
  });

  it('leaves a dispatch that can be sent again when it failed before its claim was given back', async () => {
    const [person, attemptId] = [await world.subscriber(), randomUUID()];
    const dispatchId = await intend(person, attemptId);
    const { subjectId } = person;
    await get(Claims).claim({ _id: dispatchId, fence: LATE_EPOCH, attemptId, partition: nameOf(person) });
    await get(Claims).startCalling(dispatchId, LATE_EPOCH, attemptId);
    await world.append('dispatch.attempt-failed.v1', subjectId, {
      dispatchId,
      attemptId,
      subjectId,
      errorClass: 'rate-limit',
      retryable: true,
    });
    await service.caughtUp();
    const step = sendStep(get<Barrier>(BARRIER));
    await step.settleCalls({ ...partitionOf(person), epoch: LATE_EPOCH }, () => false, false);
    await step.execute(dispatchId, () => LATE_EPOCH);
    await waitForStatus(service, dispatchId, 'sent');
    expect(calls(person)).toEqual([1]);
  });
});

describe('a dispatch that is not to be sent now', () => {
  it('is not sent before its time, whoever asks', async () => {
    const person = await world.subscriber();
    const { dispatchId } = await ask(service, offerTo(person, inMs(5 * 3_600_000)));
    await service.caughtUp();
    expect(await sendStep(get<Barrier>(BARRIER)).execute(dispatchId, () => LATE_EPOCH)).toBeUndefined();
    expect(calls(person)).toEqual([0]);
  });

  it('is written down as cancelled when the process that cancelled it ended before it could', async () => {
    const person = await world.subscriber();
    const { dispatchId } = await ask(service, offerTo(person, inMs(1_500)));
    await service.caughtUp();
    const partition = `dispatch.events/${world.stack.log.partitionFor('dispatch.events', person.subjectId)}`;
    expect(await get(Claims).cancel(dispatchId, partition, 'caller')).toBe(true);
    await waitForStatus(service, dispatchId, 'cancelled');
    expect(calls(person)).toEqual([0]);
  });

  it('is looked at again after an hour when only a person can mend it, and ends when it expires', async () => {
    const senderId = '100000000000003';
    const [person, update] = [await world.subscriber(), `v1.${'A'.repeat(16)}.${'B'.repeat(40)}`];
    await world.append('sender.registered.v1', senderId, {
      senderId,
      portfolioId: '200000000000001',
      displayName: 'Acme Three',
      ratePerSecond: 10,
      receiptTemplate: OFFER,
    });
    await world.append('consent.withdrawal-quarantined.v1', `sender:${senderId}`, {
      senderId,
      receivedAt: new Date(Date.now()).toISOString(),
      reason: 'unknown-sender',
      sealedUpdate: update,
    });
    const expiresAt = new Date(Date.now() + 90 * 60_000).toISOString();
    const { dispatchId, status, reasons } = await ask(service, offerTo(person, { senderId, expiresAt }));
    expect({ status, reasons }).toMatchObject({ status: 'held', reasons: [{ code: 'sender-held' }] });
    await service.caughtUp();
    const retryAt = async (): Promise<number> =>
      Math.round((Date.parse(String((await find(service, dispatchId))['retryAt'])) - Date.now()) / 60_000);
    expect(await retryAt()).toBe(60);
    world.clock.shift(61 * 60_000);
    await waitUntil('it was looked at again', async () => (await retryAt()) === 90);
    world.clock.shift(30 * 60_000);
    await waitForStatus(service, dispatchId, 'refused');
    world.clock.shift(-91 * 60_000);
    expect(calls(person)).toEqual([0]);
  });

  it('waits for the keys of the consent service, and a request with parameters is not taken on', async () => {
    const [person, other] = [await world.person(), await world.subscriber()];
    world.consent.isDown = true;
    const dispatchId = askDispatchId('acme', await world.asked(person, { selfStarted: true }));
    await service.caughtUp();
    const before = (await world.stack.records('dispatch.events')).length;
    expect(await service.request('POST', '/v1/dispatches', { role: 'sender', body: offerTo(other) })).toMatchObject({
      status: 503,
      body: { code: 'keys-unavailable' },
    });
    expect((await world.stack.records('dispatch.events')).length).toBe(before);
    expect((await find(service, dispatchId))['status']).toBe('planned');
    world.consent.isDown = false;
    await waitForStatus(service, dispatchId, 'sent');
    expect(world.callsTo(person).map(({ template }) => template)).toEqual([CONFIRM.name]);
  });
});

describe('a process that takes one partition again', () => {
  it('goes on with all the others', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => world.subscriber()));
    const asked = await Promise.all(people.map((person) => ask(service, offerTo(person, inMs(2_500)))));
    await service.caughtUp();
    expect(calls(...people)).toEqual(people.map(() => 0));
    await get(BatchConsumers).take([{ topic: 'consent.events', partition: 0 }]);
    await Promise.all(asked.map(({ dispatchId }) => waitForStatus(service, dispatchId, 'sent')));
  });
});

describe('two processes', () => {
  it('share the work and call once each; when one stops the other goes on', async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => world.subscriber()));
    await service.caughtUp();
    const second = await world.service();
    const plan = async (): Promise<string[]> => {
      const body = inMs(2_000);
      const asked = await Promise.all(people.map((person) => ask(service, offerTo(person, body))));
      return asked.map(({ dispatchId }) => dispatchId);
    };
    const areSent = async (from: TestService, dispatchIds: readonly string[]): Promise<void> => {
      await Promise.all(dispatchIds.map((dispatchId) => waitForStatus(from, dispatchId, 'sent')));
    };
    const allowed = async (of: TestService): Promise<number> => {
      const { body } = await of.request('GET', '/metrics');
      const lines = String(body).matchAll(/^gate_decisions_total\{decision="allow"[^}]*\} (\d+)$/gm);
      return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const before = await allowed(service);
    await areSent(service, await plan());
    expect(await allowed(second)).toBeGreaterThan(0);
    expect((await allowed(service)) - before).toBeGreaterThan(0);
    expect((await allowed(service)) - before + (await allowed(second))).toBeGreaterThanOrEqual(people.length);
    const more = await plan();
    await service.stop();
    await areSent(second, more);
    expect(calls(...people)).toEqual(people.map(() => 2));
    expect(world.callsTo(people[0] as Person).every(({ template }) => template === OFFER.name)).toBe(true);
  });
});
