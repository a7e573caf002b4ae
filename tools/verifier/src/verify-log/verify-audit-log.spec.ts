import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { parsePin } from '../check-keys/key-chain.ts';
import { EMPTY_ROOT } from '../merkle/hashes.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { preferences, recordOf, uuid } from '../written-log/events.fixture.ts';
import { MemorySource } from '../written-log/memory-source.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { type AppendedRecord, FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';

const CONSENT = 'consent.events/0';
const log = `logs/${CONSENT}`;

interface Written {
  readonly files: Map<string, Uint8Array>;
  readonly log: WrittenLog;
}

function written(key = new TestKey(1)): Written {
  const sink = new FilesInMemory();
  return { files: sink.files, log: new WrittenLog({ origin: 'log.example', sink, key }) };
}

const request = (n: number): AppendedRecord => recordOf(exampleEvent('dispatch.requested.v1', { id: uuid(n) }));

/** 300 leaves in consent.events/0 (two tiles), some in other logs, a value kept apart, signed in several rounds. */
function someLog(key?: TestKey): Written {
  const made = written(key);
  made.log.append(CONSENT, preferences(40));
  made.log.sign();
  made.log.append(CONSENT, preferences(1, 40));
  made.log.append('consent.catalog/1', [recordOf(exampleEvent('purpose.published.v1'))]);
  made.log.append('dispatch.requests/0', [request(1)]);
  made.log.sign();
  const large = exampleEvent('whatsapp.update-quarantined.v1');
  const sealedUpdate = `v1.${'A'.repeat(16)}.${'B'.repeat(70_000)}`;
  made.log.append('whatsapp.inbound/1', [recordOf({ ...large, data: { ...large.data, sealedUpdate } })]);
  made.log.sign();
  made.log.append(CONSENT, preferences(259, 41));
  made.log.append('dispatch.requests/0', [request(2)], 1);
  made.log.sign();
  return made;
}

describe('an audit log', () => {
  const clean = someLog();
  let broken: BrokenLog;

  beforeEach(() => {
    broken = new BrokenLog(clean.files);
  });

  it('has no fault, and every leaf, entry and signature of it was checked', async () => {
    const result = await broken.verify();
    expect(result.faults).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.checked).toMatchObject({ logs: 4, leaves: 304, heads: 7, entries: 302, checkpoints: 5, events: 302 });
    expect(result.key).toEqual({ fingerprints: [new TestKey(1).fingerprint], pinned: false });
    expect(result.notes).toEqual(['dispatch.requests/0 has 1 gaps in its offsets (commit markers of transactions)']);
  });

  it('has no fault when it is read from a server, which says of itself only what is asked', async () => {
    const result = await broken.verify({ source: new MemorySource(clean.files, false) });
    expect(result).toMatchObject({ ok: true, faults: [], checked: { logs: 4, leaves: 304, events: 302 } });
  });

  it('is verified person by person: other logs first, then those about persons', async () => {
    const seen: string[] = [];
    await broken.verify({
      onProgress: ({ log: name, logsDone, logs, done }) => {
        if (done) seen.push(`${logsDone}/${logs} ${name}`);
      },
    });
    expect(seen).toEqual([
      '1/4 consent.catalog/1',
      '2/4 dispatch.requests/0',
      '3/4 whatsapp.inbound/1',
      `4/4 ${CONSENT}`,
    ]);
  });

  it('is trusted under the key that was given, by line or by fingerprint', async () => {
    const key = new TestKey(1);
    for (const pin of [key.line('any.name'), key.fingerprint, `sha256:${key.fingerprint}`]) {
      expect(await broken.verify({ pin: parsePin(pin) })).toMatchObject({ ok: true, key: { pinned: true } });
    }
    expect(() => parsePin('nonsense')).toThrow('this is not a verifier key line');
  });

  it('is refused under another key than the one that was given', async () => {
    const other = new TestKey(2);
    for (const pin of [other.fingerprint, other.line('any.name')])
      expect(await broken.faults({ pin: parsePin(pin) })).toEqual(['key-not-pinned manifest.json']);
  });

  it('names the entry in which a bit was flipped: log, leaf, offset and file', async () => {
    broken.changeItems(`${log}/tile/entries/000`, (entries) => {
      const entry = Buffer.from(entries[17]!);
      entry[50] = (entry[50] ?? 0) ^ 1;
      return entries.with(17, entry);
    });
    const { faults } = await broken.verify();
    expect(faults).toMatchObject([
      { code: 'entry-changed', log: CONSENT, index: 17, offset: 17, file: 'tile/entries/000' },
    ]);
    expect(faults[0]?.where).toBe('consent.events/0 index 17, offset 17, tile/entries/000');
  });

  it('names the leaf whose hash was changed in a tile, and blames the tile', async () => {
    broken.flip(`${log}/tile/0/000`, 200 * 256 + 3);
    expect(await broken.faults()).toEqual(['tile-changed consent.events/0 index 200, offset 200, tile/0/000']);
  });

  it('names a tile of a higher level that was changed', async () => {
    broken.flip(`${log}/tile/1/000.p/1`, 5);
    expect(await broken.faults()).toEqual(['tile-changed consent.events/0, tile/1/000.p/1']);
  });

  it('names the checkpoint that was changed', async () => {
    broken.change(`${log}/checkpoint`, (bytes) => bytes.toString().replace('\n300\n', '\n301\n'));
    expect(await broken.faults()).toEqual(['checkpoint-invalid consent.events/0, checkpoint']);
  });

  it.each<[string, (entries: Uint8Array[]) => Uint8Array[]]>([
    ['dropped', (entries) => entries.toSpliced(10, 1)],
    ['inserted', (entries) => entries.toSpliced(10, 0, entries[3]!)],
  ])('is found out when a record was %s', async (_, change) => {
    broken.changeItems(`${log}/tile/entries/001.p/44`, change);
    expect(await broken.faults()).toEqual(['entries-missing consent.events/0, tile/entries/001.p/44']);
  });

  it('names both records that were swapped, and the one that was repeated in place of another', async () => {
    broken.changeItems(`${log}/tile/entries/001.p/44`, (entries) =>
      entries.with(4, entries[5]!).with(5, entries[4]!).with(9, entries[8]!),
    );
    expect(await broken.faults()).toEqual(
      [260, 261, 265].map((n) => `entry-changed consent.events/0 index ${n}, offset ${n}, tile/entries/001.p/44`),
    );
  });

  it('is found out when records were swapped together with their hashes and offsets, and says between which heads', async () => {
    for (const path of ['tile/entries', 'tile/0', 'offsets'])
      broken.changeItems(`${log}/${path}/000`, (items) => items.with(4, items[5]!).with(5, items[4]!));
    const { faults } = await broken.verify();
    expect(faults.map(({ code, where }) => `${code} ${where}`)).toEqual(
      expect.arrayContaining([
        'tile-changed consent.events/0, tile/0/000',
        'root-differs consent.events/0, size 300',
        'root-differs consent.events/0, size 40',
        'offset-order consent.events/0 index 5, offset 4',
      ]),
    );
    expect(faults.find(({ size }) => size === 40)?.text).toContain('between leaf 0 and leaf 39');
  });

  it('blames the tile of a log of which hashes only are kept, when the tile above it is right', async () => {
    const made = written();
    made.log.append(
      'dispatch.requests/0',
      Array.from({ length: 300 }, (_, n) => request(n)),
    );
    made.log.sign();
    broken = new BrokenLog(made.files).flip('logs/dispatch.requests/0/tile/0/000', 77);
    expect(await broken.faults()).toEqual(expect.arrayContaining(['tile-changed dispatch.requests/0, tile/0/000']));
  });

  it('is found out when the log was cut back to an earlier checkpoint', async () => {
    const earlier = written();
    earlier.log.append(CONSENT, preferences(40));
    earlier.log.sign();
    broken.replace(log, earlier.files);
    expect(await broken.faults()).toEqual(
      expect.arrayContaining([
        'log-behind-head consent.events/0, checkpoint',
        'tile-missing consent.events/0, tile/0/000',
        'entries-missing consent.events/0, tile/entries/000',
        'root-differs consent.events/0, size 300',
      ]),
    );
  });

  it.each([
    ['a whole log', 'logs/consent.catalog/1', 'log-missing consent.catalog/1'],
    ['a tile', `${log}/tile/0/000`, 'tile-missing consent.events/0, tile/0/000'],
    ['a bundle', `${log}/tile/entries/000`, 'entries-missing consent.events/0, tile/entries/000'],
    ['a checkpoint', `${log}/checkpoint`, 'checkpoint-missing consent.events/0, checkpoint'],
    ['the head', 'heads/checkpoint', 'checkpoint-missing heads, checkpoint'],
    ['the manifest', 'manifest.json', 'manifest-invalid manifest.json'],
    ['a piece of the offset index', `${log}/offsets/000`, 'offset-index-changed consent.events/0 index 0, offsets/000'],
  ])('is found out when %s is gone', async (_, path, fault) => {
    expect(await broken.remove(path).faults()).toContain(fault);
  });

  it('is found out when a value that is kept apart is gone or replaced', async () => {
    const path = broken.paths().find((file) => file.includes('/value/'))!;
    expect((await broken.flip(path, 80).verify()).faults).toMatchObject([
      { code: 'value-changed', index: 0, offset: 0 },
    ]);
    expect((await broken.remove(path).verify()).faults).toMatchObject([{ code: 'value-missing', index: 0, offset: 0 }]);
  });

  it('is found out when everything was signed anew with another key', async () => {
    const forged = new BrokenLog(someLog(new TestKey(2)).files);
    expect(await forged.faults({ pin: parsePin(new TestKey(1).fingerprint) })).toEqual([
      'key-not-pinned manifest.json',
    ]);
  });

  it('is found out when only its key was replaced', async () => {
    const [line, other] = [1, 2].map((seed) => new TestKey(seed).line('log.example/heads'));
    broken.change('manifest.json', (bytes) => bytes.toString().replace(line!, other!));
    expect(new Set((await broken.verify()).faults.map(({ code }) => code))).toEqual(new Set(['checkpoint-invalid']));
  });

  it.each([
    'stray',
    'keys/00000000.note',
    'logs/stray',
    'logs/audit.checkpoints/0/checkpoint',
    'logs/consent.events/00/x',
    `${log}/stray`,
    `${log}/tile/0/x`,
    `${log}/value/00`,
    'logs/dispatch.requests/0/tile/entries/000.p/1',
    'heads/offsets/000.p/1',
  ])('is found out with %s in it, which has no place there', async (path) => {
    const { faults } = await broken.write(path, 'x').verify();
    expect(faults.map(({ code }) => code)).toEqual(['stray-file']);
  });

  it.each(['tile/0/001.p/', 'tile/entries/001.p/', 'offsets/001.p/'])(
    'is found out when a copy of %s in another width differs',
    async (piece) => {
      const bytes = broken.bytes(`${log}/${piece}44`);
      const [narrower, wider] = [43, 45].map((width) => `${log}/${piece}${width}`);
      broken.write(narrower!, bytes).changeItems(narrower!, (items) => items.slice(0, 43));
      broken.write(wider!, bytes).changeItems(wider!, (items) => [...items, items[0]!]);
      expect(await broken.faults()).toEqual([]);
      broken.flip(narrower!, 21 * 8).flip(wider!, 22 * 8);
      const expected = [narrower, wider].map((file) => `tile-changed ${CONSENT}, ${file!.slice(log.length + 1)}`);
      expect(await broken.faults()).toEqual(expected);
    },
  );

  it('may hold wider pieces than its checkpoint needs, as long as they begin alike', async () => {
    const grown = someLog();
    grown.log.append(CONSENT, preferences(1, 300));
    grown.log.sign();
    for (const piece of ['tile/0', 'tile/entries', 'offsets'])
      broken.write(`${log}/${piece}/001.p/45`, grown.files.get(`${log}/${piece}/001.p/45`)!);
    expect(await broken.faults()).toEqual([]);
    for (const piece of ['tile/0', 'tile/entries', 'offsets']) broken.remove(`${log}/${piece}/001.p/44`);
    expect(await broken.faults()).toEqual([]);
    broken.flip(`${log}/tile/0/001.p/45`, 3);
    expect(await broken.faults()).toEqual(['tile-changed consent.events/0 index 256, offset 256, tile/0/001.p/44']);
  });

  it('is given up when everything in it is wrong, and says so', async () => {
    const made = written();
    made.log.append(
      CONSENT,
      Array.from({ length: 12_000 }, () => ({ key: null, headers: [], value: null })),
    );
    made.log.sign();
    const { faults, faultsNotListed } = await new BrokenLog(made.files).verify();
    expect(faults.at(-1)).toMatchObject({ code: 'too-many-faults', log: CONSENT });
    expect(faults.length + faultsNotListed).toBeLessThan(11_000);
  });
});

describe('a log that was wrong before it was hashed', () => {
  let made: Written;

  beforeEach(() => {
    made = written();
  });

  const found = async (): Promise<string[]> => new BrokenLog(made.files).faults();

  it('is found out with a record that is no event', async () => {
    made.log.append(CONSENT, [{ ...preferences(1)[0]!, value: Buffer.from('{}') }]);
    made.log.sign();
    expect(await found()).toEqual(['event-invalid consent.events/0 index 0, offset 0']);
  });

  it('is not called verified with events of types that are not known: each type is named, with its first place', async () => {
    const [good] = preferences(1);
    const ofType = (type: string) => ({
      ...good!,
      headers: good!.headers.map(([name, value]) => [name, name === 'ce_type' ? Buffer.from(type) : value] as const),
    });
    const types = ['consent.invented.v9', 'consent.other.v1', 'consent.invented.v9'];
    made.log.append(CONSENT, [good!, ...types.map(ofType)]);
    made.log.sign();
    const result = await new BrokenLog(made.files).verify();
    expect(result).toMatchObject({ ok: false, faults: [], checked: { unknownEvents: 3, events: 1 } });
    expect(result.unchecked.map(({ code, where, text }) => `${code} ${where}: ${text}`)).toEqual([
      'event-type-unknown consent.events/0 index 1, offset 1: events of the type consent.invented.v9, from here on',
      'event-type-unknown consent.events/0 index 2, offset 2: events of the type consent.other.v1, from here on',
    ]);
    expect(result.uncheckedNotListed).toBe(1);
  });

  describe('with records in partitions that their keys do not belong to', () => {
    const withPartitions = (partitions: Record<string, number> | undefined) => {
      const files = new FilesInMemory();
      const log = new WrittenLog({ origin: 'log.example', sink: files, key: new TestKey(1), partitions });
      return { log, broken: () => new BrokenLog(files.files) };
    };

    it('is found out, record by record: a STOP elsewhere is not seen by the gate', async () => {
      // Kafka puts the example's subject into partition 1 of 3.
      const { log, broken } = withPartitions({ 'consent.events': 3 });
      log.append('consent.events/1', preferences(2));
      log.append('consent.events/2', [...preferences(1, 2), recordOf(exampleEvent('consent.withdrawn.v1'))]);
      log.sign();
      const { faults } = await broken().verify();
      expect(faults.map(({ code, where }) => `${code} ${where}`)).toEqual([
        'record-misplaced consent.events/2 index 0, offset 0',
        'record-misplaced consent.events/2 index 1, offset 1',
      ]);
      expect(faults[0]?.text).toBe('its key belongs to partition 1 of the 3 that its topic has');
    });

    it('is not called verified when no head says how many partitions there are', async () => {
      const { log, broken } = withPartitions(undefined);
      log.append('consent.events/1', preferences(2));
      log.append('dispatch.requests/0', [request(1)]);
      log.sign();
      expect(await broken().verify()).toMatchObject({
        ok: false,
        faults: [],
        unchecked: [{ code: 'partitions-unknown', log: 'consent.events/1' }],
      });
    });

    it('is found out when its heads say different numbers, of one topic or of the two that are about persons', async () => {
      const partitions: Record<string, number> = { 'consent.events': 3, 'dispatch.events': 3 };
      const { log, broken } = withPartitions(partitions);
      log.append('consent.events/1', preferences(2));
      log.sign();
      partitions['consent.events'] = 6;
      log.append('consent.events/1', preferences(1, 2));
      log.sign();
      partitions['dispatch.events'] = 12;
      log.append('dispatch.events/0', []);
      log.bindHead('dispatch.events/0', 0, EMPTY_ROOT);
      log.signHeads();
      const { faults } = await broken().verify();
      const said = faults.filter(({ code }) => code === 'head-invalid').map(({ where, text }) => `${where}: ${text}`);
      expect(said).toEqual([
        'heads index 1: consent.events/1 says that its topic has 6 partitions; 3 were said before',
        'heads index 2: dispatch.events/0 says that its topic has 12 partitions; 3 were said before',
      ]);
    });
  });

  it('is found out with a gap in a topic that is kept for ever', async () => {
    made.log.append(CONSENT, preferences(2));
    made.log.append(CONSENT, preferences(1, 2), 3);
    made.log.sign();
    expect(await found()).toEqual(['offset-gap consent.events/0 index 2, offset 5']);
  });

  it('is found out when a topic that is kept for ever does not begin at its beginning', async () => {
    made.log.append(CONSENT, preferences(1), 1);
    made.log.sign();
    expect(await found()).toEqual(['offset-gap consent.events/0 index 0, offset 1']);
  });

  it('may begin late when its topic has limited life, and may not have gaps', async () => {
    const message = recordOf(exampleEvent('whatsapp.message-received.v1'));
    made.log.append('whatsapp.inbound/0', [message], 500);
    made.log.sign();
    expect(await found()).toEqual([]);
    made.log.append('whatsapp.inbound/0', [message], 2);
    made.log.sign();
    expect(await found()).toEqual(['offset-gap whatsapp.inbound/0 index 1, offset 503']);
  });

  it('is found out with a record of another log, one that is repeated, and one that is no leaf encoding', async () => {
    const other = written();
    other.log.append('consent.events/1', preferences(1));
    other.log.sign();
    const entry = other.files.get('logs/consent.events/1/tile/entries/000.p/1')!.subarray(2);
    made.log.appendEntry(CONSENT, entry, 0);
    made.log.sign();
    expect(await found()).toEqual(['entry-of-another-log consent.events/0 index 0, offset 0']);
    made.log.appendEntry(CONSENT, Buffer.from('nonsense'), 1);
    made.log.append(CONSENT, preferences(1));
    made.log.appendEntry(CONSENT, entry, 3);
    made.log.sign();
    expect(await found()).toEqual([
      'entry-of-another-log consent.events/0 index 0, offset 0',
      'entry-malformed consent.events/0 index 1, tile/entries/000.p/4',
      'entry-of-another-log consent.events/0 index 3, offset 0',
      'offset-index-changed consent.events/0 index 3, offset 0, offsets/000.p/4',
      'offset-order consent.events/0 index 3, offset 0',
    ]);
  });

  it('may have signed leaves that no head binds yet; that is noted', async () => {
    made.log.append(CONSENT, preferences(1));
    made.log.sign();
    made.log.append(CONSENT, preferences(1, 1));
    made.log.signLog(CONSENT);
    const { faults, notes } = await new BrokenLog(made.files).verify();
    expect([faults, notes]).toEqual([
      [],
      ['consent.events/0 has 1 signed leaves that the log of heads does not bind yet'],
    ]);
  });
});

describe('an operator who signs what is not so', () => {
  const anotherRoot = Buffer.alloc(32, 7);
  let made: Written;

  beforeEach(() => {
    made = written();
    made.log.append(CONSENT, preferences(2));
    made.log.sign();
  });

  const found = async (): Promise<string[]> => {
    made.log.signHeads();
    return new BrokenLog(made.files).faults();
  };

  it('is found out when a head takes leaves back', async () => {
    made.log.append(CONSENT, preferences(1, 2));
    made.log.sign();
    made.log.bindHead(CONSENT, 1, anotherRoot);
    expect(await found()).toEqual(['head-went-back heads index 2', 'root-differs consent.events/0, size 1']);
  });

  it('is found out when an earlier head has another root than the leaves give', async () => {
    made.log.bindHead(CONSENT, 3, anotherRoot);
    made.log.append(CONSENT, preferences(2, 2));
    made.log.sign();
    const { faults } = await new BrokenLog(made.files).verify();
    expect(faults).toMatchObject([{ code: 'root-differs', log: CONSENT, size: 3 }]);
    expect(faults[0]?.text).toContain('heads index 1 binds; what was changed lies between leaf 2 and leaf 2');
  });

  it('is found out when two heads have different roots for one size', async () => {
    made.log.bindHead(CONSENT, 2, anotherRoot);
    expect(await found()).toEqual(['head-differs heads index 1']);
  });

  it('is found out when a head and the checkpoint of the log have different roots for one size', async () => {
    made.log.append(CONSENT, preferences(1, 2));
    made.log.signLog(CONSENT);
    made.log.bindHead(CONSENT, 3, anotherRoot);
    expect(await found()).toEqual(expect.arrayContaining(['head-differs consent.events/0, size 3']));
  });

  it('is found out when a head binds more than there is', async () => {
    made.log.bindHead(CONSENT, 3, anotherRoot);
    const faults = await found();
    expect(faults).toContain('log-behind-head consent.events/0, checkpoint');
    expect(faults).toContain('root-differs consent.events/0, size 3');
  });

  it('is found out when a head binds a log that does not exist, or is none', async () => {
    made.log.bindHead('suppression.events/0', 1, anotherRoot);
    made.log.bindHead('consent.events/0', 2, Buffer.alloc(31));
    expect(await found()).toEqual(['head-invalid heads index 2', 'log-missing suppression.events/0']);
  });
});

describe('what is no audit log', () => {
  it('is said to be none', async () => {
    const nothing = new BrokenLog(new Map());
    expect(await nothing.faults()).toEqual(['manifest-invalid manifest.json']);
    expect(await nothing.write('manifest.json', '{}\n').faults()).toEqual(['manifest-invalid manifest.json']);
    const empty = new BrokenLog(written().files);
    expect(await empty.faults()).toEqual(['checkpoint-missing heads, checkpoint']);
  });
});
