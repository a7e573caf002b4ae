import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { fieldsOf, textAt, typeOf } from '../checkers/evidence.ts';
import { oneCallPerAttempt } from '../checkers/one-call-per-attempt.ts';
import { type RequestFate, requestsAnswered } from '../checkers/requests-answered.ts';
import type { PartName } from '../platform/parts.ts';
import { until } from '../platform/soak-platform.ts';
import { inTurn, type Person } from '../traffic/world.ts';
import type { RunContext, Scenario, Violation } from './scenario.ts';

const PEOPLE = 24;
const OFFERS = 8;
/** A service's own limit for its orderly end. */
const GRACE_MS = 25_000;
/** New requests are begun this often while the process ends. */
const REQUEST_EVERY_MS = 25;
const REQUEST_TIMEOUT_MS = 15_000;
const CALLED_TIMEOUT_MS = 60_000;

/** SIGTERM under load: nothing is lost, no request that was taken fails, the process ends in its time with exit code 0. */
export const shutdown: Scenario = {
  name: 'shutdown',
  invariants: ['I1', 'I4'],
  platform: { processes: { dispatch: 2 }, throughKafkaProxy: [] },
  run: async (context) => {
    const { platform, world, evidence } = context;
    const people = await world.optIn(PEOPLE);
    const offered = people.slice(0, OFFERS);
    const stopping = people.slice(OFFERS);
    const offers = await inTurn(offered, (person) => world.offer(person));
    // Both at once: while their calls are under way, and while STOPs arrive.
    const [ends, fates] = await Promise.all([
      Promise.all((['dispatch-1', 'consent-1'] as const).map((name) => endOf(context, name))),
      stopsDuring(context, stopping),
    ]);
    for (const name of ['dispatch-1', 'consent-1'] as const) platform.part(name).start();
    await platform.heal();
    const dispatchIds = offers.flatMap((outcome) =>
      outcome.outcome === 'acknowledged' ? [outcome.write.ids['dispatchId'] ?? ''] : [],
    );
    const called = (): Set<string | undefined> =>
      new Set(readCallLog(platform.callLogFile).map(({ bizOpaqueCallbackData: data }) => data?.split('.')[1]));
    await until(() => (dispatchIds.every((id) => called().has(id)) ? true : undefined), CALLED_TIMEOUT_MS);
    const records = await evidence.readToEnd();
    const calls = readCallLog(platform.callLogFile);
    const uncalled = dispatchIds.filter((id) => !called().has(id)).length;
    // Earlier runs on this platform may have left others.
    const own = new Set(dispatchIds);
    const unknown = records.filter(
      (record) =>
        typeOf(record) === 'dispatch.attempt-unknown.v1' && own.has(textAt(fieldsOf(record), 'dispatchId') ?? ''),
    );
    return {
      violations: [
        ...ends.flatMap(({ violations }) => violations),
        ...requestsAnswered(fates, records, 'consent.withdrawn.v1'),
        ...oneCallPerAttempt(calls, records),
        ...(uncalled > 0 ? [{ invariant: 'shutdown', what: `${uncalled} messages were not sent` }] : []),
        ...unknown.map((record) => ({
          invariant: 'shutdown',
          what: `attempt ${textAt(fieldsOf(record), 'attemptId') ?? ''} has no known outcome after an orderly end`,
        })),
      ],
      counts: {
        requests: fates.length,
        answered: fates.filter(({ fate }) => typeof fate === 'number').length,
        refused: fates.filter(({ fate }) => fate === 'refused').length,
        broken: fates.filter(({ fate }) => fate === 'broken').length,
        endMs: Math.round(Math.max(...ends.map(({ endMs }) => endMs))),
      },
    };
  },
};

/** Ends a process at a random moment of the next half second. */
async function endOf(
  { platform, random }: RunContext,
  name: PartName,
): Promise<{ endMs: number; violations: Violation[] }> {
  await sleep(random.integer(0, 500));
  const part = platform.part(name);
  const endMs = await part.stop();
  const how = part.ends.at(-1)?.how;
  const violations: Violation[] = [];
  if (how !== 0) violations.push({ invariant: 'shutdown', what: `${name} ended with ${String(how)}` });
  if (endMs > GRACE_MS) violations.push({ invariant: 'shutdown', what: `${name} took ${Math.round(endMs)} ms to end` });
  return { endMs, violations };
}

/** One STOP for each person, each over a connection of its own, begun one after another and not waited for. */
async function stopsDuring({ platform }: RunContext, people: readonly Person[]): Promise<RequestFate[]> {
  const url = `${platform.url('consent-1')}/v1/withdrawals`;
  const fates: Promise<RequestFate>[] = [];
  for (const { phone, subjectId } of people) {
    fates.push(fateOf(url, { recipient: { phone } }).then((fate) => ({ subjectId, fate })));
    await sleep(REQUEST_EVERY_MS);
  }
  return Promise.all(fates);
}

function fateOf(url: string, json: object): Promise<RequestFate['fate']> {
  return new Promise((resolve) => {
    const sent = request(url, {
      method: 'POST',
      agent: false,
      timeout: REQUEST_TIMEOUT_MS,
      headers: {
        authorization: 'Bearer local-capture',
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
    });
    sent.on('response', (response) => {
      response.resume();
      response.on('end', () => {
        resolve(response.statusCode ?? 'broken');
      });
      response.on('error', () => {
        resolve('broken');
      });
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED' ? 'refused' : 'broken');
    });
    sent.end(JSON.stringify(json));
  });
}
