import { auditFolderOf } from '@assent/cli';
import { checkHeads, headEntriesOf, newestBound } from '../checkers/audit-heads.ts';
import { checkTiles } from '../checkers/audit-tiles.ts';
import { grouped } from '../checkers/audit-trees.ts';
import type { RawRecord } from '../checkers/evidence.ts';
import { monotonicMs } from '../platform/monotonic.ts';
import { until } from '../platform/soak-platform.ts';
import { JUMPING_CLOCK, SLOW_DISK } from '../test-builds/test-builds.ts';
import { AUDIT_TROUBLES, AuditTrouble } from './audit-trouble.ts';
import { AuditWatch } from './audit-watch.ts';
import { duringTraffic } from './mixed-traffic.ts';
import type { RunContext, Scenario, Violation } from './scenario.ts';

const PEOPLE = 4;
const AUDIT_BUILD = [SLOW_DISK, JUMPING_CLOCK];
/** From the end of the trouble until every record is signed and bound; a process starts in 3 s on a quiet machine. */
const CATCH_UP_TIMEOUT_MS = 90_000;
/** An age below this is that of a log that is signed in its turn. */
const CAUGHT_UP_AGE_S = 1;
/** An age above this is not of this run: a clock's jump got into it. */
const AGE_MAX_S = 300;

/**
 * The audit processes are killed with SIGKILL at moments that hit writing and signing, frozen while the other takes
 * over, their disk is full or slow for a while, their clocks jump: no fork, no signed head without its tiles, all of it
 * signed by itself afterwards, and the age of the checkpoints says so meanwhile (I9, issue 7).
 */
export const auditKilled: Scenario = {
  name: 'audit-killed',
  invariants: ['I9'],
  platform: {
    processes: { dispatch: 1, audit: 2 },
    throughKafkaProxy: [],
    imports: { 'audit-1': AUDIT_BUILD, 'audit-2': AUDIT_BUILD },
    // Five rounds where there would be one: more kills hit one.
    environment: { audit: { AUDIT_CHECKPOINT_INTERVAL_MS: '100' } },
  },
  run: async (context) => {
    const { platform, world, random, evidence, seed, progress } = context;
    const people = await world.optIn(PEOPLE);
    const watch = AuditWatch.start(platform, random.fork());
    const trouble = new AuditTrouble(platform, random.fork(), watch);
    const kind = AUDIT_TROUBLES[seed % AUDIT_TROUBLES.length] ?? 'kills';
    progress(kind);
    try {
      await duringTraffic({ world, random, people }, () => trouble.run(kind));
      const caughtUp = await catchUp(context, watch);
      const wentBack = await watch.stop();
      const folder = auditFolderOf(platform.folder);
      const records = await evidence.readToEnd();
      const heads = checkHeads({ published: watch.published, records, heads: headEntriesOf(folder) });
      const tiles = checkTiles(folder);
      return {
        violations: [
          ...trouble.violations,
          ...caughtUp.violations,
          ...wentBack,
          ...heads.violations,
          ...tiles.violations,
          ...agesThatCannotBe(watch),
        ],
        counts: {
          ...trouble.counts,
          ...heads.counts,
          treesFromTiles: trouble.treesFromTiles + (tiles.counts['treesFromTiles'] ?? 0),
          maxAgeSeconds: Math.round(10 * (watch.maxAgeSince(0) ?? 0)) / 10,
          maxCatchUpMs: caughtUp.tookMs,
        },
      };
    } finally {
      await trouble.heal();
      await watch.stop();
    }
  },
};

/** Heals nothing but what was done to the processes, then waits until every record is signed and bound. */
async function catchUp(
  { platform, evidence }: RunContext,
  watch: AuditWatch,
): Promise<{ violations: Violation[]; tookMs: number }> {
  const beganMs = monotonicMs();
  const records = await evidence.readToEnd();
  const missing = (): string[] => unsigned(auditFolderOf(platform.folder), records, watch);
  const isSigned = await until(() => (missing().length === 0 ? true : undefined), CATCH_UP_TIMEOUT_MS);
  const signedMs = monotonicMs();
  const hasFallen = await until(() => {
    const age = watch.maxAgeSince(Math.max(signedMs, monotonicMs() - 500));
    return age !== undefined && age < CAUGHT_UP_AGE_S ? true : undefined;
  }, CATCH_UP_TIMEOUT_MS);
  await platform.heal();
  const violations: Violation[] = [];
  if (isSigned === undefined) {
    const what = `not signed and bound ${CATCH_UP_TIMEOUT_MS / 1_000} s after the trouble: ${missing().join(', ')}`;
    violations.push({ invariant: 'I9', what });
  }
  if (hasFallen === undefined) violations.push({ invariant: 'age', what: 'the age of the checkpoints did not fall' });
  return { violations, tookMs: Math.round(signedMs - beganMs) };
}

/** Logs whose newest checkpoint, or newest bound head, lacks some of these records. */
function unsigned(folder: string, records: readonly RawRecord[], watch: AuditWatch): string[] {
  watch.look();
  const bound = newestBound(headEntriesSafely(folder));
  return [...grouped(records)].flatMap(([log, { length }]) => {
    if (log.startsWith('audit.checkpoints/')) return [];
    const size = bound.get(log)?.size ?? 0;
    return size >= length ? [] : [`${log} ${size} of ${length}`];
  });
}

/** A tile that a newer checkpoint replaced while it was read is there at the next look. */
function headEntriesSafely(folder: string): ReturnType<typeof headEntriesOf> {
  try {
    return headEntriesOf(folder);
  } catch {
    return { size: 0, entries: [] };
  }
}

/** A clock that jumps must not be taken for an age. */
function agesThatCannotBe({ ages }: AuditWatch): Violation[] {
  return ages
    .filter(({ seconds }) => !(seconds >= 0 && seconds < AGE_MAX_S))
    .slice(0, 1)
    .map(({ part, seconds }) => ({ invariant: 'age', what: `${part} said an age of ${seconds} s` }));
}
