import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fieldsOf, textAt, typeOf } from '../checkers/evidence.ts';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { type AcknowledgedStop, checkNoSendAfterStop, type StopFindings } from '../checkers/no-send-after-stop.ts';
import { until } from '../platform/soak-platform.ts';
import { KEYWORD } from '../traffic/cast.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';
import { stop, STOP_PATHS } from '../traffic/stops.ts';
import { textMessage } from '../traffic/whatsapp-webhooks.ts';
import { LATE_PROJECTIONS } from '../test-builds/test-builds.ts';
import { inTurn, type Person, type World } from '../traffic/world.ts';
import type { RunContext, Scenario } from './scenario.ts';
import { troubleDispatch } from './trouble-for-dispatch.ts';

const PEOPLE = 24;
const OFFERS_EACH = 6;
/** From the first request until the first offer is due and the first STOP comes: most requests are in by then. */
const LEAD_MIN_MS = 1_000;
/** Of the time that the opt-ins took, which tells how fast this machine is now: the lead, and the window. */
const SHARE_OF_OPT_IN = 0.5;
/** Offers are due, and STOPs and trouble come, for so long. */
const WINDOW_MS = { min: 6_000, max: 30_000 } as const;
/** After the trouble, for what is due to be decided; a killed process is missed for up to ten seconds by its group. */
const SETTLE_MS = 20_000;

const FINAL = new Set([
  'dispatch.attempt-sent.v1',
  'dispatch.attempt-unknown.v1',
  'dispatch.refused.v1',
  'dispatch.cancelled.v1',
]);

/** Many offers come due while their people stop on every path and the dispatch processes are in trouble. */
export const noSendAfterStop = {
  name: 'no-send-after-stop',
  invariants: ['I2', 'I4'],
  platform: { imports: { 'dispatch-1': [LATE_PROJECTIONS], 'dispatch-2': [LATE_PROJECTIONS] } },
  ciRuns: 1,
  async run(context: RunContext) {
    const { platform, random } = context;
    const { findings, stopsAsked } = await stopsUnderOffers(context, (windowMs) =>
      troubleDispatch(platform, random.fork(), windowMs),
    );
    const missing = stopsAsked - (findings.counts['stops'] ?? 0);
    const notIn = missing > 0 ? [{ invariant: 'I6', what: `${missing} STOPs were not acknowledged` }] : [];
    const isEmpty = findings.counts['messageCalls'] === 0;
    const empty = isEmpty ? [{ invariant: 'run', what: 'no offer left at all, so the run shows nothing' }] : [];
    return { violations: [...findings.violations, ...notIn, ...empty], counts: findings.counts };
  },
} satisfies Scenario;

/**
 * The traffic of the scenario, with `trouble` in its window; answers what the checker found. Every process is healed and
 * ready at the end.
 */
export async function stopsUnderOffers(
  { platform, world, evidence, random, progress }: RunContext,
  trouble: (windowMs: number) => Promise<object>,
): Promise<{ findings: StopFindings; stopsAsked: number }> {
  const countFromMs = Date.now();
  const people = await world.optIn(PEOPLE);
  const open = new Set<string>();
  const endFollowing = evidence.onRecord((record) => {
    const dispatchId = textAt(fieldsOf(record), 'dispatchId') ?? '';
    if (FINAL.has(typeOf(record))) open.delete(dispatchId);
  });
  const optInMs = Date.now() - countFromMs;
  progress(`${people.length} people have opted in after ${optInMs} ms`);
  const leadMs = Math.max(LEAD_MIN_MS, SHARE_OF_OPT_IN * optInMs);
  const windowMs = Math.min(WINDOW_MS.max, Math.max(WINDOW_MS.min, SHARE_OF_OPT_IN * optInMs));
  const startMs = Date.now() + leadMs;
  const stopping = people.filter(() => random.chance(0.9));
  const [done] = await Promise.all([
    sleep(leadMs).then(() => trouble(windowMs)),
    requestOffers({ world, people, random: random.fork(), window: { startMs, windowMs }, open }),
    ...stopping.map((person) => stopAtSomeTime(world, person, random.fork(), { startMs, windowMs })),
  ]);
  await platform.heal();
  await until(() => (open.size === 0 ? true : undefined), SETTLE_MS);
  endFollowing();
  const findings = checkNoSendAfterStop({
    records: await evidence.readToEnd(),
    calls: readCallLog(platform.callLogFile),
    stops: world.stops,
    pauses: platform.pauses,
    countFromMs,
  });
  const counts = { people: people.length, ...findings.counts, unsettled: open.size, ...done };
  return { findings: { ...findings, counts }, stopsAsked: stopping.length };
}

/** From `startMs` (epoch ms) on, for `windowMs`. */
interface Window {
  readonly startMs: number;
  readonly windowMs: number;
}

async function requestOffers(o: {
  world: World;
  people: readonly Person[];
  random: SeededRandom;
  window: Window;
  /** Dispatches that were taken on; who sees the end of one takes it out. */
  open: Set<string>;
}): Promise<void> {
  const { world, people, random, open } = o;
  const { startMs, windowMs } = o.window;
  const wishes = people
    .flatMap((person) =>
      Array.from({ length: OFFERS_EACH }, () => ({
        person,
        dueAtMs: startMs + random.integer(0, Math.floor(windowMs)),
      })),
    )
    .sort((a, b) => a.dueAtMs - b.dueAtMs);
  await inTurn(wishes, async ({ person, dueAtMs }) => {
    // On a machine that is too slow for all of them the rest is left out: the run is as long as its window.
    if (Date.now() > startMs + windowMs) return;
    const asked = await world.offer(person, { dueAtMs });
    const dispatchId = asked.outcome === 'acknowledged' ? asked.write.ids['dispatchId'] : undefined;
    if (dispatchId !== undefined && asked.outcome === 'acknowledged' && asked.write.ids['status'] !== 'refused')
      open.add(dispatchId);
  });
}

/** Some stop again by another path, and some think better of it and write JOIN. */
async function stopAtSomeTime(
  world: World,
  person: Person,
  random: SeededRandom,
  { startMs, windowMs }: Window,
): Promise<void> {
  const atMs = startMs + random.integer(0, Math.floor(windowMs * 0.8));
  await sleep(Math.max(0, atMs - Date.now()));
  const told: AcknowledgedStop = await stop(world, person, random.pick(STOP_PATHS), random);
  world.stops.push(told);
  if (random.chance(0.2)) {
    await sleep(random.integer(0, 1_000));
    world.stops.push(await stop(world, person, random.pick(STOP_PATHS), random));
  }
  if (random.chance(0.2)) {
    await sleep(random.integer(0, 2_000));
    const said = { phone: person.phone, wamid: `wamid.join-${randomUUID()}`, text: KEYWORD, atMs: Date.now() };
    await world.webhook('opt-in again', textMessage(said));
  }
}
