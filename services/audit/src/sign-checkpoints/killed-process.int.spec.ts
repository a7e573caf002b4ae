import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLeaf, leafHash, openCheckpoint, sameHash, TreeBuilder } from '@assent/merkle-log';
import { type SourceProcess, startFromSource, waitUntil } from '@assent/testing';
import { verifyFolder } from '../../../../tools/verifier/src/run/verify-folder.ts';
import { FolderLogStore } from '../merkle-logs/folder-log-store.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { LogKey } from '../merkle-logs/log-key.ts';
import { recordAt } from './killed-process.fixture.ts';

const PROGRAM = join(import.meta.dirname, 'killed-process.fixture.ts');
/** Runs, each with kills at other moments: a few always, more from any seed on in the soak `audit-process-killed`. */
const RUNS_ALWAYS = 2;
const FIRST_SEED = Number(process.env['AUDIT_KILL_SEED'] ?? 1);
const RUNS = Number(process.env['AUDIT_KILL_RUNS'] ?? RUNS_ALWAYS);
/** A process takes over a second to start, which is what a run costs. */
const KILLS_OF_EACH = RUNS > RUNS_ALWAYS ? 4 : 1;
const RECORDS = 700;
const HEADS = 'log.example/heads';

/** A small generator of numbers from 0 to 1, so that a seed names a run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

class Run {
  readonly notes = new Set<string>();
  private largest = 0;
  private readonly processes: SourceProcess[] = [];

  constructor(private readonly folder: string) {}

  start(): SourceProcess {
    const args = [join(this.folder, 'data'), join(this.folder, 'key.pem'), String(RECORDS)];
    const started = startFromSource(PROGRAM, {}, args);
    this.processes.push(started);
    return started;
  }

  /** Waits until a process has announced so many heads, or has ended. */
  async until(process: SourceProcess, heads: number): Promise<void> {
    await waitUntil('the process got so far', () => process.lines().length > heads || process.child.exitCode !== null, {
      timeoutMs: 60_000,
    });
  }

  /** What is in the folder must be whole, of one history with everything announced before, and never less than it was. */
  async look(): Promise<void> {
    for (const process of this.processes) {
      for (const { note } of process.lines()) if (typeof note === 'string') this.notes.add(note);
    }
    const store = await FolderLogStore.open(join(this.folder, 'data'), 0);
    const files = new LogFiles(store, 'public/heads');
    const size = (await files.head())?.size ?? 0;
    expect(size).toBeGreaterThanOrEqual(this.largest);
    this.largest = size;
    if (size === 0) return;
    const key = await LogKey.load(join(this.folder, 'key.pem'), false);
    const tree = files.tree(size);
    for (const note of this.notes) {
      const announced = openCheckpoint(Buffer.from(note), HEADS, key.verifiers(HEADS));
      expect(announced.size).toBeLessThanOrEqual(size);
      expect(sameHash(await tree.root(announced.size), announced.root)).toBe(true);
    }
    const { faults } = await verifyFolder({ folder: join(this.folder, 'data/public'), publicKey: key.fingerprint });
    expect(faults).toEqual([]);
  }

  async end(): Promise<void> {
    for (const process of this.processes) {
      process.child.kill('SIGCONT');
      await process.kill();
    }
  }
}

/** Kills processes, or freezes them and lets others take their logs, at moments that the seed decides. */
async function killAndFreeze(run: Run, seed: number): Promise<void> {
  const random = randomOf(seed);
  for (let kill = 0; kill < KILLS_OF_EACH; kill += 1) {
    const victim = run.start();
    await run.until(victim, Math.floor(random() * 6));
    for (let turn = Math.floor(random() * 20); turn > 0; turn -= 1) await new Promise(setImmediate);
    if (random() < 0.5) {
      await victim.kill();
      await run.look();
      continue;
    }
    victim.child.kill('SIGSTOP');
    const other = run.start();
    await run.until(other, Math.floor(random() * 4));
    victim.child.kill('SIGCONT');
    await victim.ended;
    await other.kill();
    await run.look();
  }
}

describe('processes that are killed or frozen at any moment', () => {
  it.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
    'leave one whole log, which a later one completes by itself (seed %d)',
    async (seed) => {
      const folder = await mkdtemp(join(tmpdir(), 'assent-killed-'));
      const run = new Run(folder);
      try {
        await killAndFreeze(run, seed);
        const last = run.start();
        expect([await last.ended, last.errors().includes('Error')]).toEqual([0, false]);
        await run.look();
        const store = await FolderLogStore.open(join(folder, 'data'), 0);
        for (const partition of [0, 1]) {
          const whole = new TreeBuilder();
          for (let offset = 0; offset < RECORDS; offset += 1) {
            whole.append(leafHash(encodeLeaf(recordAt('consent.events', partition, offset))));
          }
          const head = await new LogFiles(store, `public/logs/consent.events/${String(partition)}`).head();
          expect(head).toMatchObject({ size: RECORDS, root: new Uint8Array(whole.root()) });
        }
      } finally {
        await run.end();
        await rm(folder, { recursive: true, force: true });
      }
    },
    240_000,
  );
});
