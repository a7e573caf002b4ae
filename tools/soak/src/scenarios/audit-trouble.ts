import { watch as watchFolder } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditFolderOf } from '@assent/cli';
import { checkTiles } from '../checkers/audit-tiles.ts';
import { logsIn } from '../checkers/audit-trees.ts';
import type { ClockOffset } from '../nemesis/offset-clock.ts';
import { setDiskFull } from '../nemesis/full-disk.ts';
import { monotonicMs } from '../platform/monotonic.ts';
import type { PartName } from '../platform/parts.ts';
import { type SoakPlatform, until } from '../platform/soak-platform.ts';
import type { DiskDelay } from '../test-builds/slow-disk.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';
import type { AuditWatch } from './audit-watch.ts';
import { partitionsOwned } from './partitions-owned.ts';
import type { Violation } from './scenario.ts';

/** One of them in each run, by its seed; some kills go before all but the freeze. */
export const AUDIT_TROUBLES = ['full disk', 'slow disk', 'clock jumps', 'freeze', 'kills'] as const;
type AuditTroubleKind = (typeof AUDIT_TROUBLES)[number];

const KILLS = { kills: 3, 'full disk': 1, 'slow disk': 1, 'clock jumps': 1, freeze: 0 } as const;
/** A file of a log is written this often at least while there is traffic and anybody signs. */
const WRITING_TIMEOUT_MS = 5_000;
/** From the first file of a round to about its last. */
const WITHIN_ROUND_MAX_MS = 25;
const RANDOM_MOMENT_MAX_MS = 600;
const SIGNS_AGAIN_TIMEOUT_MS = 90_000;
/** A member that is silent for 6 s loses its partitions. */
const TAKE_OVER_TIMEOUT_MS = 60_000;
/** What a thawed process does with the writes it had begun, it does at once. */
const THAWED_MS = 700;
const FULL_MS = 2_500;
const SLOW_MS = 3_000;
const DISK_DELAY_MS = { min: 40, max: 250 } as const;
/** While nothing can be signed for longer than this, the age must say so. */
const AGE_SAID_S = 1;
const AGE_TIMEOUT_MS = 10_000;
const HOUR_MS = 3_600_000;
const CLOCK_OFFSETS_MS = [HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS, -400 * 24 * HOUR_MS, 0] as const;
const CLOCK_JUMPS = 6;
const CLOCK_KEPT_MS = 400;

/** What happens to the audit processes in one run, and what was seen of it at once. */
export class AuditTrouble {
  readonly violations: Violation[] = [];
  readonly counts = {
    kills: 0,
    killsInWriting: 0,
    freezes: 0,
    fullDisks: 0,
    slowDisks: 0,
    clockJumps: 0,
    notTested: 0,
  };
  treesFromTiles = 0;
  readonly #platform: SoakPlatform;
  readonly #random: SeededRandom;
  readonly #watch: AuditWatch;
  readonly #parts: readonly PartName[];
  readonly #folder: string;

  constructor(platform: SoakPlatform, random: SeededRandom, watch: AuditWatch) {
    this.#platform = platform;
    this.#random = random;
    this.#watch = watch;
    this.#parts = platform.partsOf('audit');
    this.#folder = auditFolderOf(platform.folder);
  }

  /** Resolves with every fault healed; processes may still be starting. */
  async run(kind: AuditTroubleKind): Promise<void> {
    for (let kills = 0; kills < KILLS[kind]; kills += 1) await this.#kill();
    if (kind === 'full disk') await this.#fillDisk();
    if (kind === 'slow disk') await this.#slowDisk();
    if (kind === 'clock jumps') await this.#jumpClocks();
    if (kind === 'freeze') await this.#freeze();
    await this.heal();
  }

  /** Takes back what a run that was broken off may have left. */
  async heal(): Promise<void> {
    this.#tell({ diskDelayMs: 0, clockOffsetMs: 0 });
    for (const part of this.#parts) {
      this.#platform.resume(part);
      const { pid } = this.#platform.part(part);
      if (pid !== undefined) await setDiskFull(pid, false);
    }
  }

  /** SIGKILL of one process, or of both at once; most of them while files of a log are being written. */
  async #kill(): Promise<void> {
    const victims = this.#random.shuffled(this.#parts).slice(0, this.#random.chance(0.5) ? 2 : 1);
    const isWriting = await this.#moment();
    await Promise.all(victims.map((part) => this.#platform.part(part).kill9()));
    this.counts.kills += victims.length;
    if (isWriting) this.counts.killsInWriting += victims.length;
    this.#lookAtTiles();
    await this.#untilSigningAgain();
  }

  /** Frozen in a round of signing until the other one has everything and signs; then it goes on. */
  async #freeze(): Promise<void> {
    const [victim, other] = this.#random.shuffled(this.#parts) as [PartName, PartName];
    const owned = (part: PartName): Promise<number> => partitionsOwned(this.#platform, part);
    const all = (await owned(victim)) + (await owned(other));
    await this.#moment();
    this.#platform.pause(victim);
    this.counts.freezes += 1;
    this.#lookAtTiles();
    const hasAll = await until(async () => ((await owned(other)) >= all ? true : undefined), TAKE_OVER_TIMEOUT_MS);
    if (hasAll === undefined) this.violations.push({ invariant: 'two', what: `${other} did not take over` });
    await this.#untilSigningAgain();
    this.#platform.resume(victim);
    await sleep(THAWED_MS);
    this.#lookAtTiles();
  }

  async #fillDisk(): Promise<void> {
    await Promise.all(this.#parts.map((part) => this.#platform.part(part).waitReady()));
    const pids = this.#parts.map((part) => this.#platform.part(part).pid ?? 0);
    const beganMs = monotonicMs();
    const done = await Promise.all(pids.map((pid) => setDiskFull(pid, true)));
    if (done.includes(false)) {
      this.counts.notTested += 1;
      return;
    }
    this.counts.fullDisks += 1;
    await sleep(FULL_MS);
    await this.#untilAgeIsSaid(beganMs, 'the disk was full');
    this.#lookAtTiles();
    await Promise.all(pids.map((pid) => setDiskFull(pid, false)));
    await this.#untilSigningAgain();
  }

  /** Every sync and rename late, for all processes; then a kill among the slow writes. */
  async #slowDisk(): Promise<void> {
    const beganMs = monotonicMs();
    this.#tell({ diskDelayMs: this.#random.integer(DISK_DELAY_MS.min, DISK_DELAY_MS.max) });
    this.counts.slowDisks += 1;
    await sleep(SLOW_MS);
    this.#lookAtTiles();
    await this.#untilAgeIsSaid(beganMs, 'the disk was slow');
    await this.#kill();
    this.#tell({ diskDelayMs: 0 });
  }

  async #jumpClocks(): Promise<void> {
    for (let jumps = 0; jumps < CLOCK_JUMPS; jumps += 1) {
      for (const part of this.#parts) {
        const clockOffsetMs = this.#random.pick(CLOCK_OFFSETS_MS);
        this.#platform.part(part).tell({ clockOffsetMs } satisfies ClockOffset);
      }
      this.counts.clockJumps += 1;
      await sleep(CLOCK_KEPT_MS);
    }
    await this.#untilSigningAgain();
    await this.#kill();
  }

  /** Waits for a moment of the seed's choice; true when a file of a log was written right before it. */
  async #moment(): Promise<boolean> {
    if (this.#random.chance(0.25)) {
      await sleep(this.#random.integer(0, RANDOM_MOMENT_MAX_MS));
      return false;
    }
    const isOfHeads = this.#random.chance(0.5);
    const withinMs = this.#random.integer(0, WITHIN_ROUND_MAX_MS);
    const logs = logsIn(this.#folder).filter((log) => (log === 'heads') === isOfHeads);
    const isWriting = await somethingIsWritten(
      logs.map((log) => join(this.#folder, log)),
      WRITING_TIMEOUT_MS,
    );
    await sleep(withinMs);
    return isWriting;
  }

  #lookAtTiles(): void {
    const { violations, counts } = checkTiles(this.#folder);
    this.violations.push(...violations);
    this.treesFromTiles += counts['treesFromTiles'] ?? 0;
    this.#watch.look();
  }

  async #untilSigningAgain(): Promise<void> {
    const before = this.#watch.headsSize();
    const grew = await until(() => (this.#watch.headsSize() > before ? true : undefined), SIGNS_AGAIN_TIMEOUT_MS);
    if (grew === undefined) this.violations.push({ invariant: 'I9', what: 'no process signs any more' });
  }

  /** The age is read a few times a second; it must say what was so all the time. */
  async #untilAgeIsSaid(sinceMs: number, why: string): Promise<void> {
    const isSaid = (): true | undefined => ((this.#watch.maxAgeSince(sinceMs) ?? 0) >= AGE_SAID_S ? true : undefined);
    if ((await until(isSaid, AGE_TIMEOUT_MS)) !== undefined) return;
    const said = this.#watch.maxAgeSince(sinceMs);
    const what = `while ${why}, the age of the checkpoints was ${said === undefined ? 'not told' : `${said} s at most`}`;
    this.violations.push({ invariant: 'age', what });
  }

  #tell(message: Partial<ClockOffset & DiskDelay>): void {
    for (const part of this.#parts) this.#platform.part(part).tell(message);
  }
}

/** Resolves true with the next change in any of these folders, false when there was none in time. */
function somethingIsWritten(folders: readonly string[], timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const watchers = folders.map((folder) => watchFolder(folder));
    const end = (isWritten: boolean): void => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      resolve(isWritten);
    };
    const timer = setTimeout(end, timeoutMs, false);
    for (const watcher of watchers) {
      watcher.once('change', () => {
        end(true);
      });
    }
  });
}
