import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyEvent, EventType } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { StateFolder } from '../remember/state-folder.ts';
import { SourceError } from '../sources/source.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { recordOf, uuid } from '../written-log/events.fixture.ts';
import { MemorySource } from '../written-log/memory-source.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { type AppendedRecord, FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import type { VerifyOptions, VerifyResult } from './verify-audit-log.ts';

/** A fact of the n-th person. */
function factOf(type: EventType, n: number, data: object): AppendedRecord {
  const example = exampleEvent(type);
  const subjectId = uuid(n);
  const event = { ...example, id: uuid(n), partitionKey: subjectId, data: { ...example.data, subjectId, ...data } };
  return recordOf(event as AnyEvent);
}

/** One STOP for each person, and attempts whose gate had seen it, without a decision. */
function logOf(personsOfPartitions: readonly number[]): BrokenLog {
  const sink = new FilesInMemory();
  const log = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1), partitions: undefined });
  for (const [partition, persons] of personsOfPartitions.entries()) {
    const first = partition * 10_000;
    const consent = `consent.events/${partition}`;
    const { gate } = exampleEvent('dispatch.attempt-intended.v1').data;
    const stops = Array.from({ length: persons }, (_, n) => factOf('consent.withdrawn.v1', first + n, {}));
    const attempts = [1, 2, 3].map((i) => {
      const n = first + i;
      const ids = { dispatchId: uuid(100_000 + n), attemptId: uuid(200_000 + n) };
      const ofGate = { gate: { ...gate, positions: { [consent]: persons } } };
      return [
        factOf('dispatch.accepted.v1', n, { ...ids, class: 'message' }),
        factOf('dispatch.attempt-intended.v1', n, { ...ids, class: 'message', ...ofGate }),
      ];
    });
    log.append(consent, stops);
    log.append(`dispatch.events/${partition}`, attempts.flat());
  }
  log.sign();
  return new BrokenLog(sink.files);
}

/** A source that tells of each read, which may fail. */
class Told extends MemorySource {
  constructor(
    { files }: BrokenLog,
    private readonly onRead: (path: string) => void,
  ) {
    super(files, false);
  }

  override async read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    this.onRead(path);
    return super.read(path, bytesMax);
  }
}

let folder: string;
let state: StateFolder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-progress-'));
  state = new StateFolder(folder);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const essence = ({ faults, faultsNotListed, checked }: VerifyResult) => ({
  faults,
  faultsNotListed,
  leaves: checked.leaves,
  attempts: checked.attempts,
});

/** Verifies until a path is read; progress is saved at the first full tile after the read of another path. */
async function interrupted(broken: BrokenLog, savesAt: string, failsAt: string): Promise<void> {
  let now = 0;
  const source = new Told(broken, (path) => {
    if (path.startsWith(savesAt)) now += 5_000;
    if (path.startsWith(failsAt)) throw new SourceError('timed-out', path);
  });
  await expect(broken.verify({ source, state, monotonicMs: () => now })).rejects.toBeInstanceOf(SourceError);
}

const facts = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.facts'));
const again = (broken: BrokenLog, options: Partial<VerifyOptions> = {}): Promise<VerifyResult> =>
  broken.verify({ source: new MemorySource(broken.files, false), state, ...options });

describe('a run that is interrupted among the facts of the partition after the one it had saved', () => {
  it('finds what an uninterrupted one finds, and leaves no facts', async () => {
    const broken = logOf([300, 5_500]);
    const whole = await broken.verify({ source: new MemorySource(broken.files, false) });
    expect(whole.faults.filter(({ code }) => code === 'attempt-after-withdrawal')).toHaveLength(6);
    await interrupted(broken, 'logs/consent.events/0/tile/entries', 'logs/consent.events/1/tile/0/021');
    const result = await again(broken);
    expect(essence(result)).toEqual(essence(whole));
    expect(result.notes).toEqual(expect.arrayContaining([expect.stringContaining('was interrupted')]));
    expect(facts()).toEqual([]);
  }, 60_000);
});

describe('what an interrupted run has written down', () => {
  const broken = logOf([300, 300]);
  const json = (): string =>
    join(
      folder,
      readdirSync(folder).find((name) => name.endsWith('.json'))!,
    );
  const onlyFacts = (): string => join(folder, facts()[0]!);
  const interrupt = (): Promise<void> =>
    interrupted(broken, 'logs/consent.events/1/tile/entries', 'logs/dispatch.events/1/tile/entries');
  let whole: VerifyResult;

  beforeAll(async () => {
    whole = await broken.verify({ source: new MemorySource(broken.files, false) });
  });

  it('is about the persons of one partition only', async () => {
    await interrupted(broken, 'logs/consent.events/', 'logs/dispatch.events/1/tile/entries');
    expect(facts()).toEqual([expect.stringMatching(/\.1\.facts$/)]);
    expect(essence(await again(broken))).toEqual(essence(whole));
  });

  const lineEnd = (bytes: Buffer): number => bytes.indexOf('\n', bytes.length / 2) + 1;
  it.each<[string, () => void]>([
    [
      'facts that are gone',
      () => {
        rmSync(onlyFacts());
      },
    ],
    [
      'facts that are cut at the end of a line',
      () => {
        truncateSync(onlyFacts(), lineEnd(readFileSync(onlyFacts())));
      },
    ],
    [
      'facts of others',
      () => {
        writeFileSync(onlyFacts(), readFileSync(onlyFacts()).reverse());
      },
    ],
    [
      'a progress that is no JSON',
      () => {
        writeFileSync(json(), 'nonsense');
      },
    ],
    [
      'a progress that is nothing',
      () => {
        writeFileSync(json(), 'null');
      },
    ],
    [
      'a progress that is another',
      () => {
        writeFileSync(json(), readFileSync(json(), 'utf8').replace('"leaves":', '"leaves":1'));
      },
    ],
    [
      'a progress of another version',
      () => {
        writeFileSync(json(), '{"version":2}');
      },
    ],
  ])('is begun anew with %s, and says so', async (_, spoil) => {
    await interrupt();
    spoil();
    const result = await again(broken);
    expect(essence(result)).toEqual(essence(whole));
    expect(result.notes).toEqual(expect.arrayContaining([expect.stringContaining('began anew')]));
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^seen-/)]);
  });

  it('may be followed by more facts than the progress names', async () => {
    await interrupt();
    writeFileSync(onlyFacts(), '{"kind":"grant"', { flag: 'a' });
    const result = await again(broken);
    expect(essence(result)).toEqual(essence(whole));
    expect(result.notes).toEqual(expect.arrayContaining([expect.stringContaining('was interrupted')]));
  });
});
