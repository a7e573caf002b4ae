import { parsePin } from '../check-keys/key-chain.ts';
import { parsePolicy } from '../notes/witness-policy.ts';
import { preferences, recordOf } from '../written-log/events.fixture.ts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';

const CONSENT = 'consent.events/0';
const [oldKey, newKey] = [new TestKey(1), new TestKey(2)];
const witnesses = [
  { name: 'w.example/1', key: new TestKey(3) },
  { name: 'w.example/2', key: new TestKey(4) },
];

function made() {
  const sink = new FilesInMemory();
  const log = new WrittenLog({ origin: 'log.example', sink, key: oldKey, witnesses });
  log.append(CONSENT, preferences(3));
  log.sign();
  return { log, files: sink.files };
}

describe('a log whose key was replaced by another', () => {
  const { log, files } = made();
  const grow = (): void => {
    log.append(CONSENT, preferences(2, log.size(CONSENT)));
    log.sign();
  };
  const snapshots: BrokenLog[] = [];
  log.rotate(newKey);
  snapshots.push(new BrokenLog(files));
  grow();
  snapshots.push(new BrokenLog(files));
  log.endOverlap();
  grow();
  snapshots.push(new BrokenLog(files));

  it('has no fault before, in and after the overlap, for who trusts the old key or the new', async () => {
    for (const snapshot of snapshots) {
      for (const key of [oldKey, newKey]) {
        const result = await snapshot.verify({ pin: parsePin(key.fingerprint) });
        expect(result).toMatchObject({ faults: [], key: { pinned: true } });
        expect(result.key?.fingerprints).toEqual([oldKey.fingerprint, newKey.fingerprint]);
      }
    }
  });

  const [, , after] = snapshots;

  it('is found out when nothing signed says so', async () => {
    const id = newKey.id('log.example/heads');
    const without = new BrokenLog(after!.files).remove(`keys/${id}.note`);
    expect(await without.faults({ pin: parsePin(newKey.fingerprint) })).toEqual([`rotation-invalid keys/${id}.note`]);
    const faults = await without.faults({ pin: parsePin(oldKey.fingerprint) });
    expect(faults).toEqual(
      expect.arrayContaining([`rotation-invalid keys/${id}.note`, 'checkpoint-invalid heads, checkpoint']),
    );
  });

  it('is found out when the old key signs on', async () => {
    const forged = new BrokenLog(after!.files);
    forged.write('heads/checkpoint', log.note('heads', log.heads.size, log.heads.root(), [oldKey]));
    const { faults } = await forged.verify();
    expect(faults).toMatchObject([{ code: 'checkpoint-invalid', log: 'heads' }]);
    expect(faults[0]?.text).toContain('by a retired key only');
  });
});

describe('a log that witnesses have signed', () => {
  const { log, files } = made();
  log.cosign('w.example/1');
  const signedByOne = new BrokenLog(files);
  log.cosign('w.example/1', 'w.example/2');
  const signedByBoth = new BrokenLog(files).write('witness-policy', log.policy('all'));
  log.append(CONSENT, preferences(2, 3));
  log.sign();
  const grownSince = new BrokenLog(files);
  const [any, all] = [parsePolicy(log.policy('any')), parsePolicy(log.policy('all'))];

  it('is accepted with its quorum, and shown as one without it when it has none', async () => {
    expect(await signedByOne.verify({ policy: any })).toMatchObject({
      ok: true,
      witnessed: { size: 1, quorum: 'all', witnesses: ['w.example/1'] },
    });
    const without = await signedByOne.verify({ policy: all });
    expect(without).toMatchObject({ ok: false, witnessed: { size: undefined, witnesses: ['w.example/1'] } });
    expect(without.faults).toMatchObject([{ code: 'quorum-missing', log: 'heads', size: 1 }]);
    expect(await signedByOne.verify()).toMatchObject({ ok: true, witnessed: undefined });
  });

  it('names the heads that witnesses have not seen yet', async () => {
    const { ok, notes } = await grownSince.verify({ policy: all });
    expect(ok).toBe(true);
    expect(notes).toContain('heads 1 to 1 are signed but not witnessed: the quorum "all" has seen the first 1');
  });

  it('is found out when it is not the one that witnesses have seen', async () => {
    const sink = new FilesInMemory();
    const fork = new WrittenLog({ origin: 'log.example', sink, key: oldKey, witnesses });
    fork.append(CONSENT, preferences(3, 100));
    fork.sign();
    const seenByWitnesses = grownSince.bytes('heads/cosigned-checkpoint');
    const asLong = new BrokenLog(sink.files).write('heads/cosigned-checkpoint', seenByWitnesses);
    expect(await asLong.faults({ policy: all })).toContain('history-differs heads, size 1, cosigned-checkpoint');
    fork.append(CONSENT, preferences(2, 103));
    fork.sign();
    const longer = new BrokenLog(sink.files).write('heads/cosigned-checkpoint', seenByWitnesses);
    expect(await longer.faults({ policy: all })).toEqual(['history-differs heads, size 1']);
    const rewound = new BrokenLog(made().files).write(
      'heads/cosigned-checkpoint',
      log.cosign('w.example/1', 'w.example/2'),
    );
    expect(await rewound.faults({ policy: all })).toContain('log-rewound heads, size 2, cosigned-checkpoint');
  });

  it('is found out with a cosignature that does not fit, of a witness of the auditor’s or the operator’s', async () => {
    const line = signedByBoth
      .text('heads/checkpoint')
      .split('\n')
      .find((text) => text.startsWith('— w.example/2'))!;
    const at = line.length - 10;
    const wrong = `${line.slice(0, at)}${line[at] === 'A' ? 'B' : 'A'}${line.slice(at + 1)}`;
    for (const file of ['heads/checkpoint', 'heads/cosigned-checkpoint']) {
      const broken = new BrokenLog(signedByBoth.files).change(file, (bytes) => bytes.toString().replace(line, wrong));
      for (const options of [{ policy: any }, {}])
        expect(await broken.faults(options)).toContain(`cosignature-invalid heads, ${file.slice('heads/'.length)}`);
    }
  });

  it('is found out when the head that it calls cosigned does not have the operator’s own quorum', async () => {
    const broken = new BrokenLog(signedByOne.files).write('witness-policy', log.policy('all'));
    expect(await broken.faults()).toEqual(['quorum-missing heads, cosigned-checkpoint']);
    expect(await broken.write('witness-policy', 'nonsense').faults()).toEqual(['policy-invalid witness-policy']);
  });

  it('may have signatures that nobody knows; that is noted', async () => {
    const { ok, notes } = await signedByOne.verify();
    expect(ok).toBe(true);
    expect(notes).toContain('heads checkpoint has 1 signatures by keys that neither it nor a policy names');
  });
});

describe('a log whose oldest entries were given up', () => {
  const INBOUND = 'whatsapp.inbound/0';
  const message = recordOf(exampleEvent('whatsapp.message-received.v1'));

  function pruned(name: string, firstRetained: number, takesAway: boolean) {
    const { log, files } = made();
    log.append(
      name,
      Array.from({ length: 600 }, () => message),
    );
    log.sign();
    log.prune(name, firstRetained, takesAway);
    return new BrokenLog(files);
  }

  it('has no fault where its signed head says so; its hashes are verified still', async () => {
    const broken = pruned(INBOUND, 512, true);
    const { faults, notes, checked } = await broken.verify();
    expect(faults).toEqual([]);
    expect(notes).toContain('whatsapp.inbound/0 has 512 leaves whose entries were pruned, as its signed head says');
    expect(checked).toMatchObject({ leaves: 603, heads: 3 });
    broken.flip(`logs/${INBOUND}/tile/0/001`, 9);
    expect(await broken.faults()).toContain('tile-changed whatsapp.inbound/0, tile/0/001');
  });

  it('has no fault either while they are there still', async () => {
    expect(await pruned(INBOUND, 512, false).faults()).toEqual([]);
  });

  it('is found out when the offset of a leaf was changed whose entry is gone', async () => {
    const broken = pruned(INBOUND, 512, true).flip(`logs/${INBOUND}/offsets/000`, 7 * 64 + 56);
    expect(await broken.faults()).toContain('offset-index-changed whatsapp.inbound/0 index 7, offset 6, offsets/000');
    broken.remove(`logs/${INBOUND}/offsets/001`);
    expect(await broken.faults()).toContain('offset-index-changed whatsapp.inbound/0 index 256, offsets/001');
  });

  it('is found out when more is gone than that', async () => {
    const broken = pruned(INBOUND, 256, true).remove(`logs/${INBOUND}/tile/entries/001`);
    expect(await broken.faults()).toEqual(['entries-missing whatsapp.inbound/0, tile/entries/001']);
  });

  it('is found out when an entry that is there still was changed', async () => {
    const broken = pruned(INBOUND, 512, false).flip(`logs/${INBOUND}/tile/entries/000`, 999);
    expect(await broken.faults()).toEqual(['entry-changed whatsapp.inbound/0 index 0, offset 0, tile/entries/000']);
  });

  it('is found out when the topic is kept for ever', async () => {
    const { log, files } = made();
    log.append(
      'consent.events/1',
      Array.from({ length: 300 }, (_, n) => preferences(1, n)[0]!),
    );
    log.sign();
    log.prune('consent.events/1', 256);
    expect(await new BrokenLog(files).faults()).toContain('head-invalid heads index 2');
  });

  it('is found out when it says that it has them again', async () => {
    const { log, files } = made();
    log.append(
      INBOUND,
      Array.from({ length: 300 }, () => message),
    );
    log.sign();
    log.prune(INBOUND, 256, false);
    log.prune(INBOUND, 0, false);
    expect(await new BrokenLog(files).faults()).toEqual(['head-invalid heads index 3']);
  });
});
