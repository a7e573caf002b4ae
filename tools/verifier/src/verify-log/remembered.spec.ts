import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePin } from '../check-keys/key-chain.ts';
import { seenInFiles } from '../check-proofs/proof-file.ts';
import { leafHash } from '../merkle/hashes.ts';
import { StateFolder } from '../remember/state-folder.ts';
import { SourceError } from '../sources/source.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import type { AnyEvent, EventType } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { preferences, recordOf, uuid } from '../written-log/events.fixture.ts';
import { MemorySource } from '../written-log/memory-source.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { type AppendedRecord, FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import { Interrupted, type VerifyOptions, type VerifyResult } from './verify-audit-log.ts';

const CONSENT = 'consent.events/0';
const key = new TestKey(1);

/** A log of some records, signed after each of these sizes; `start` makes other records. */
function logOf(sizes: readonly number[], start = 0, signer = key) {
  const sink = new FilesInMemory();
  const log = new WrittenLog({ origin: 'log.example', sink, key: signer });
  let size = 0;
  for (const next of sizes) {
    log.append(CONSENT, preferences(next - size, start + size));
    log.sign();
    size = next;
  }
  return { log, sink, broken: new BrokenLog(sink.files) };
}

/** A fact of the n-th person, in the only partition. */
function factOf(type: EventType, n: number, data: object): AppendedRecord {
  const example = exampleEvent(type);
  const subjectId = uuid(n);
  const partitionKey = subjectId;
  return recordOf({ ...example, id: uuid(n), partitionKey, data: { ...example.data, subjectId, ...data } } as AnyEvent);
}

const stopOf = (n: number): AppendedRecord => factOf('consent.withdrawn.v1', n, {});
const acceptanceOf = (n: number): AppendedRecord =>
  factOf('dispatch.accepted.v1', n, { dispatchId: uuid(1_000 + n), class: 'message' });

/** An attempt whose gate had waited for so many records of the consent log. */
const attemptOf = (n: number, seen: number): AppendedRecord => {
  const { gate } = exampleEvent('dispatch.attempt-intended.v1').data;
  const ids = { dispatchId: uuid(1_000 + n), attemptId: uuid(2_000 + n) };
  return factOf('dispatch.attempt-intended.v1', n, {
    ...ids,
    class: 'message',
    gate: { ...gate, positions: { [CONSENT]: seen } },
  });
};

let folder: string;
let state: StateFolder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-state-'));
  state = new StateFolder(join(folder, 'below'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a log that was verified before', () => {
  beforeEach(async () => {
    expect(await logOf([3]).broken.verify({ state })).toMatchObject({ ok: true, seenBefore: undefined });
  });

  it('may be the same, or have grown', async () => {
    for (const sizes of [[3], [3, 5], [3, 5, 9]])
      expect(await logOf(sizes).broken.verify({ state })).toMatchObject({
        faults: [],
        seenBefore: '1970-01-01T00:00:00.000Z',
      });
  });

  it('is found out when it was rewound, though all of it is signed by the right key', async () => {
    await logOf([3, 5]).broken.verify({ state });
    expect(await logOf([3]).broken.faults({ state })).toEqual([
      'log-rewound heads, size 2',
      'log-rewound consent.events/0, size 5',
    ]);
  });

  it('is found out when it was rewritten and signed anew by the right key, grown or not', async () => {
    expect(await logOf([3], 50).broken.faults({ state })).toEqual([
      'history-differs heads, size 1',
      'history-differs consent.events/0, size 3',
    ]);
    const grown = await logOf([3, 6], 50).broken.faults({ state });
    expect(grown).toEqual(['history-differs heads, size 1', 'history-differs consent.events/0, size 3']);
    // What was found out is not remembered in place of what was seen.
    expect(await logOf([3]).broken.faults({ state })).toEqual([]);
  });

  it('is found out when another key signs it, unless that key was named or follows by a statement', async () => {
    const another = logOf([3], 0, new TestKey(2)).broken;
    expect(await another.faults({ state })).toEqual(['key-changed manifest.json']);
    const { log, sink } = logOf([3]);
    log.rotate(new TestKey(2));
    log.append(CONSENT, preferences(1, 3));
    log.sign();
    expect(await new BrokenLog(sink.files).faults({ state })).toEqual([]);
    const third = logOf([3], 0, new TestKey(3)).broken;
    expect(await third.verify({ state, pin: parsePin(new TestKey(3).fingerprint) })).toMatchObject({
      ok: true,
      notes: [expect.stringContaining('another installation')],
    });
  });

  it('is found out when a key that was retired signs a log of its own, though that key is the one that was named', async () => {
    const pin = parsePin(key.fingerprint);
    const { log, sink } = logOf([3]);
    log.rotate(new TestKey(2));
    log.append(CONSENT, preferences(1, 3));
    log.sign();
    const rotated = new BrokenLog(sink.files);
    expect(await rotated.faults({ state, pin })).toEqual([]);
    expect(await logOf([3, 9], 50).broken.faults({ state, pin })).toEqual([
      'key-changed manifest.json',
      'history-differs heads, size 2',
      'history-differs consent.events/0, size 4',
    ]);
    expect(await rotated.faults({ state, pin })).toEqual([]);
  });

  it('is found out when a log is not in it any more, and the heads do not name it either', async () => {
    const sink = new FilesInMemory();
    const other = new WrittenLog({ origin: 'log.example', sink, key, partitions: { 'consent.events': 3 } });
    other.append('consent.events/1', preferences(3));
    other.sign();
    expect(await new BrokenLog(sink.files).faults({ state })).toEqual([
      'history-differs heads, size 1',
      `log-missing ${CONSENT}`,
    ]);
  });

  it('stays as it was seen where a run could not verify it', async () => {
    const broken = logOf([3, 5]).broken.remove(`logs/${CONSENT}`);
    expect(await broken.faults({ state })).toEqual([`log-missing ${CONSENT}`]);
    expect(await logOf([3], 50).broken.faults({ state })).toContain('history-differs consent.events/0, size 3');
  });
});

describe('a file of what was seen that is none', () => {
  it('is said, and nothing is verified in its place', async () => {
    await logOf([1]).broken.verify({ state });
    const [file] = readdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'below', file!), 'nonsense');
    await expect(logOf([1]).broken.verify({ state })).rejects.toThrow('is not JSON');
  });
});

describe('a checkpoint or proof that somebody kept', () => {
  const verifyWith = (broken: BrokenLog, ...files: string[]): Promise<string[]> => {
    const paths = files.map((text, i) => {
      const path = join(folder, `kept-${i}`);
      writeFileSync(path, text);
      return path;
    });
    return broken.faults({ seen: (keys, findings) => seenInFiles(paths, keys, findings) });
  };
  const kept = (): string[] => {
    const { log, broken } = logOf([2]);
    const entry = broken.bytes(`logs/${CONSENT}/tile/entries/000.p/2`).subarray(2);
    const [first, second] = [entry.subarray(0, (entry.length - 2) / 2), entry.subarray((entry.length - 2) / 2 + 2)];
    const proof = [
      'c2sp.org/tlog-proof@v1',
      `extra ${Buffer.from(first).toString('base64')}`,
      'index 0',
      Buffer.from(leafHash(second)).toString('base64'),
      '',
      broken.text(`logs/${CONSENT}/checkpoint`),
    ].join('\n');
    return [broken.text('heads/checkpoint'), proof, log.note('heads', 1, log.heads.root())];
  };

  it('is in the log that it is of, also when that has grown', async () => {
    expect(await verifyWith(logOf([2]).broken, ...kept())).toEqual([]);
    expect(await verifyWith(logOf([2, 7]).broken, ...kept())).toEqual([]);
  });

  it('shows a rewritten log for what it is', async () => {
    const [head, proof] = kept();
    expect(await verifyWith(logOf([2, 7], 50).broken, head!)).toEqual(['history-differs heads, size 1']);
    expect(await verifyWith(logOf([2, 7], 50).broken, proof!)).toEqual(['history-differs consent.events/0, size 2']);
    expect(await verifyWith(logOf([1]).broken, proof!)).toEqual(['log-rewound consent.events/0, size 2']);
  });

  it('shows that a log is hidden, though nothing in the folder names it', async () => {
    const [, proof] = kept();
    const sink = new FilesInMemory();
    const log = new WrittenLog({ origin: 'log.example', sink, key, partitions: { 'consent.events': 3 } });
    log.append('consent.events/1', preferences(2));
    log.sign();
    expect(await verifyWith(new BrokenLog(sink.files), proof!)).toEqual([`log-missing ${CONSENT}`]);
  });

  it('is a fault itself when it does not hold', async () => {
    const [head, proof] = kept();
    for (const file of [head!.replace('\n1\n', '\n2\n'), proof!.replace('index 0', 'index 1'), 'nonsense', '{}'])
      expect(await verifyWith(logOf([2]).broken, file)).toEqual([expect.stringMatching(/^proof-invalid /)]);
  });
});

describe('a run that is interrupted', () => {
  /** Lets a source fail, or the person stop, after some reads. */
  class Failing extends MemorySource {
    reads = 0;
    constructor(
      files: ReadonlyMap<string, Uint8Array>,
      /** Answers the error of a read, if it has one. */
      private readonly atRead: (reads: number) => Error | undefined,
    ) {
      super(files, false);
    }

    override read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
      this.reads += 1;
      const error = this.atRead(this.reads);
      if (error !== undefined) return Promise.reject(error);
      return super.read(path, bytesMax);
    }
  }

  const { broken } = logOf([3, 300, 600]);
  broken.changeItems(`logs/${CONSENT}/tile/entries/001`, (entries) => entries.with(7, entries[8]!));
  let ticks = 0;
  const options = (): Partial<VerifyOptions> => ({ state, monotonicMs: () => (ticks += 5_000) });
  const essence = ({ faults, checked }: VerifyResult) => ({
    faults,
    checked: { ...checked, bytes: 0, checkpoints: 0 },
  });

  it('goes on where it was, and finds what an uninterrupted one finds', async () => {
    const whole = await broken.verify({ source: new MemorySource(broken.files, false) });
    expect(whole.faults.map(({ where }) => where)).toContain(
      'consent.events/0 index 263, offset 263, tile/entries/001',
    );
    for (const stopAt of [8, 12, 15]) {
      const failing = new Failing(broken.files, (reads) =>
        reads === stopAt ? new SourceError('timed-out', 'somewhere') : undefined,
      );
      await expect(broken.verify({ ...options(), source: failing })).rejects.toBeInstanceOf(SourceError);
      const rest = new Failing(broken.files, () => undefined);
      const result = await broken.verify({ ...options(), source: rest });
      expect(essence(result)).toEqual(essence(whole));
      const all = new Failing(broken.files, () => undefined);
      await broken.verify({ source: all });
      if (stopAt === 15) expect(rest.reads).toBeLessThan(all.reads);
    }
  }, 30_000);

  describe('among the decisions about many people', () => {
    const { log, sink } = logOf([]);
    for (let n = 0; n < 200; n += 1) log.append(CONSENT, [stopOf(n)]);
    for (let n = 0; n < 200; n += 1) log.append('dispatch.events/0', [acceptanceOf(n)]);
    // The gate of every other attempt had seen the person's STOP; the last 20 have no decision.
    for (let n = 0; n < 220; n += 1) log.append('dispatch.events/0', [attemptOf(n, n % 2 === 0 ? n : n + 1)]);
    log.sign();
    const decisions = new BrokenLog(sink.files);

    it('finds what an uninterrupted one finds, wherever it was interrupted', async () => {
      const whole = await decisions.verify({ source: new MemorySource(decisions.files, false) });
      expect(whole.faults.filter(({ code }) => code === 'attempt-after-withdrawal')).toHaveLength(20);
      expect(whole.faultsNotListed).toBe(80);
      const all = new Failing(decisions.files, () => undefined);
      await decisions.verify({ source: all });
      let interrupted = 0;
      for (let stopAt = 4; stopAt <= all.reads; stopAt += 1) {
        const stop = new AbortController();
        const source = new Failing(decisions.files, (reads) => {
          if (reads === stopAt) stop.abort();
          return undefined;
        });
        const first = decisions.verify({ ...options(), source, signal: stop.signal });
        const isWhole = await first.then(
          () => true,
          (error: unknown) => error instanceof Interrupted && false,
        );
        if (isWhole) continue;
        interrupted += 1;
        const result = await decisions.verify({ ...options(), source: new MemorySource(decisions.files, false) });
        expect(essence(result)).toEqual(essence(whole));
      }
      expect(interrupted).toBeGreaterThan(5);
    }, 60_000);
  });

  it('stops after the tile it is at when it is told to', async () => {
    const stop = new AbortController();
    const source = new Failing(broken.files, (reads) => {
      if (reads === 12) stop.abort();
      return undefined;
    });
    await expect(broken.verify({ ...options(), source, signal: stop.signal })).rejects.toBeInstanceOf(Interrupted);
    const result = await broken.verify({ ...options(), source: new MemorySource(broken.files, false) });
    expect(result.notes).toEqual(expect.arrayContaining([expect.stringContaining('was interrupted')]));
    const again = await broken.verify({ ...options(), source: new MemorySource(broken.files, false) });
    expect(again.notes).not.toEqual(expect.arrayContaining([expect.stringContaining('was interrupted')]));
  });

  it('goes on with the checkpoints it had when the log has grown meanwhile', async () => {
    const before = logOf([400]).broken;
    const stop = new AbortController();
    const source = new Failing(before.files, (reads) => {
      if (reads === 10) stop.abort();
      return undefined;
    });
    await expect(before.verify({ ...options(), source, signal: stop.signal })).rejects.toBeInstanceOf(Interrupted);
    const after = logOf([400, 500]).broken;
    for (const [path, bytes] of before.files) if (path.includes('.p/')) after.write(path, bytes);
    const result = await after.verify({ ...options(), source: new MemorySource(after.files, false) });
    expect(result).toMatchObject({ faults: [], checked: { leaves: 400 } });
  });
});
