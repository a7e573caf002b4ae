import { setTimeout as sleep } from 'node:timers/promises';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { oneCallPerAttempt } from '../checkers/one-call-per-attempt.ts';
import { type Appointment, sentInTime } from '../checkers/sent-in-time.ts';
import { startWithClockOff, startWithClockRight } from '../nemesis/clock-offset.ts';
import { until } from '../platform/soak-platform.ts';
import { write } from '../traffic/acknowledged-writes.ts';
import { stop, STOP_PATHS } from '../traffic/stops.ts';
import type { Person, World } from '../traffic/world.ts';
import type { RunContext, Scenario } from './scenario.ts';

const HOUR_MS = 3_600_000;
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const HOURS = { from: 8, to: 21 } as const;
/** Due while the clock is off. */
const SOON_MS = 2_000;
/** How long a wrong clock is given to do harm after everything is due. */
const WATCH_MS = 4_000;
/** After the clock is right again everything that is due leaves well within this. */
const CATCH_UP_MS = 60_000;

/**
 * One process of consent, then one of dispatch, whose wall clock is an hour fast or slow. A STOP is not lost for it, no
 * message leaves early or at a forbidden hour, and none is lost.
 */
export const clock: Scenario = {
  name: 'clock',
  invariants: ['I2', 'I3', 'I6'],
  platform: { processes: { consent: 2 }, throughKafkaProxy: [] },
  ciRuns: 0,
  run: async (context) => {
    const { platform, world, seed, random, evidence, progress } = context;
    const offsetMs = (seed % 2 === 0 ? 1 : -1) * HOUR_MS;
    const people = await world.optIn(9);
    const [stopped, ...others] = people as [Person, ...Person[]];
    await publishHours(world, '08:00', '21:00');
    progress(`clocks are ${offsetMs / HOUR_MS} h off`);
    await startWithClockOff(platform, 'consent-1', offsetMs);
    await stop(world, stopped, random.pick(STOP_PATHS.slice(0, 2)), random);
    await startWithClockRight(platform, 'consent-1');
    await startWithClockOff(platform, 'dispatch-1', offsetMs);
    const appointments = await makeAppointments(context, others);
    const voided = dispatchOf(await world.offer(stopped));
    await sleep(SOON_MS + WATCH_MS);
    await startWithClockRight(platform, 'dispatch-1');
    const due = appointments.filter(({ dueAtMs, hoursAhead }) => dueAtMs < Date.now() && isMidday(hoursAhead));
    await until(() => (due.every(({ dispatchId }) => wasCalled(dispatchId)) ? true : undefined), CATCH_UP_MS);
    await publishHours(world, '00:00', '24:00');
    const records = await evidence.readToEnd();
    const calls = readCallLog(platform.callLogFile);
    const overridden = calls.some(({ bizOpaqueCallbackData: data }) => data?.split('.')[1] === voided);
    return {
      violations: [
        ...sentInTime(appointments, calls, records, Date.now()),
        ...oneCallPerAttempt(calls, records),
        ...(overridden ? [{ invariant: 'I2', what: 'a STOP stamped by a wrong clock did not hold' }] : []),
      ],
      counts: { appointments: appointments.length, due: due.length },
    };

    function wasCalled(dispatchId: string): boolean {
      return readCallLog(platform.callLogFile).some(({ bizOpaqueCallbackData: data }) => data?.includes(dispatchId));
    }
  },
};

/** Due soon, due within the hour that the clock is off by, and soon for people whose hours open or have closed in it. */
async function makeAppointments({ world }: RunContext, people: readonly Person[]): Promise<Appointment[]> {
  const now = Date.now();
  const plans = [
    ...[1, 2, 3, 4].map(() => ({ hour: 13, dueAtMs: now + SOON_MS })),
    ...[1, 2].map(() => ({ hour: 13, dueAtMs: now + HOUR_MS / 2 })),
    { hour: HOURS.from - 1, dueAtMs: now + SOON_MS },
    { hour: HOURS.to, dueAtMs: now + SOON_MS },
  ];
  return Promise.all(
    plans.map(async ({ hour, dueAtMs }, index) => {
      const person = people[index];
      if (person === undefined) throw new Error('too few people');
      const hoursAhead = hoursAheadWhereItIs(hour, now);
      await declareZone(world, person, hoursAhead);
      const dispatchId = dispatchOf(await world.offer(person, { dueAtMs }));
      return { dispatchId, dueAtMs, hoursAhead, hours: HOURS };
    }),
  );
}

function hoursAheadWhereItIs(hour: number, atMs: number): number {
  return ((hour - new Date(atMs).getUTCHours() + 36) % 24) - 12;
}

function isMidday(hoursAhead: number): boolean {
  return hoursAhead === hoursAheadWhereItIs(13, Date.now());
}

/** In force at once for clocks that are an hour off too, and instead of what was published before. */
async function publishHours(world: World, from: string, to: string): Promise<void> {
  const now = Date.now();
  const weekdays = Object.fromEntries(WEEKDAYS.map((day) => [day, [[from, to]]]));
  const outcome = await world.post('dispatch', '/v1/rule-sets', {
    kind: 'publish',
    role: 'admin',
    json: {
      id: `hours-${now}`,
      version: 1,
      effectiveFrom: new Date(now - 24 * HOUR_MS).toISOString(),
      windows: [{ id: 'hours', weekdays, source: 'hours of this soak run' }],
      exempt: [],
    },
  });
  if (outcome.outcome !== 'acknowledged') throw new Error(`the hours were ${outcome.outcome}`);
}

async function declareZone(world: World, { phone }: Person, hoursAhead: number): Promise<void> {
  const sign = hoursAhead > 0 ? '-' : '+';
  const timeZone = hoursAhead === 0 ? 'Etc/UTC' : `Etc/GMT${sign}${Math.abs(hoursAhead)}`;
  const outcome = await write({
    kind: 'preferences',
    method: 'PUT',
    urls: world.urls('consent').map((url) => `${url}/v1/preferences`),
    headers: { authorization: 'Bearer local-capture', 'content-type': 'application/json' },
    body: JSON.stringify({ recipient: { phone }, timeZone }),
  });
  if (outcome.outcome !== 'acknowledged') throw new Error(`a zone was ${outcome.outcome}`);
}

function dispatchOf(outcome: Awaited<ReturnType<World['offer']>>): string {
  const dispatchId = outcome.outcome === 'acknowledged' ? outcome.write.ids['dispatchId'] : undefined;
  if (dispatchId === undefined) throw new Error(`an offer was ${outcome.outcome}`);
  return dispatchId;
}
