import {
  type Checkpoint,
  cosignatureVerifier,
  parseCheckpoint,
  parsePolicy,
  readNote,
  sha256,
  verifiedSignatures,
} from '@assent/merkle-log';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { key, origin } from '../sign-checkpoints/audit-process.fixture.ts';
import { HeadLog } from '../sign-checkpoints/head-log.ts';
import { StrictWitness } from './strict-witness.fixture.ts';
import { Witnesses } from './witnesses.ts';

const HEADS = `${origin}/heads`;
const AT = '2026-11-24T10:00:00.000Z';
/** Long enough for a busy machine; short where a witness never answers. */
const ANSWER_MS_MAX = 10_000;
const SHORT_MS = 1_500;

let store: MemoryLogStore;
let heads: HeadLog;
let [one, two, three]: StrictWitness[] = [];
let policy = '';
let nowMs = 0;
let logged: { facts: object; message: string; level: 'warn' | 'error' }[] = [];

async function grow(entries = 1): Promise<void> {
  const before = (await heads.signed())?.size ?? 0;
  for (let i = 0; i < entries; i += 1) {
    const head: Checkpoint = {
      origin: `${origin}/consent.events/0`,
      size: before + i + 1,
      root: sha256(Buffer.from([before + i])),
      extensions: [],
    };
    heads.record([head], AT);
  }
  await heads.commit();
}

const witnessesOf = (answerMsMax = ANSWER_MS_MAX): Witnesses =>
  new Witnesses({
    policy,
    intervalMs: 1_000,
    clock: { monotonicMs: () => nowMs },
    logger: {
      warn: (facts, message) => logged.push({ facts, message, level: 'warn' }),
      error: (facts, message) => logged.push({ facts, message, level: 'error' }),
    },
    onOutcome: () => undefined,
    answerMsMax,
  });

/** One round about the newest head; a minute passes before it. */
async function round(witnesses: Witnesses): Promise<void> {
  nowMs += 60_000;
  witnesses.offer(heads);
  await witnesses.settled();
}

/** Policy names of the witnesses whose valid cosignatures a checkpoint file has, in order; undefined without the file. */
function cosignedBy(file: 'checkpoint' | 'cosigned-checkpoint'): { size: number; by: string[] } | undefined {
  const note = store.objects.get(`public/heads/${file}`);
  if (note === undefined) return undefined;
  const { text, signatures } = readNote(note);
  const { witnesses } = parsePolicy(policy);
  const verifiers = witnesses.map(({ keyName, publicKey }) => cosignatureVerifier(keyName, publicKey));
  expect(verifiedSignatures(text, signatures, key.verifiers(HEADS))).toHaveLength(1);
  const by = verifiedSignatures(text, signatures, verifiers).map(({ name }) => name.split('/')[1] ?? '');
  return { size: parseCheckpoint(text).size, by };
}

const outcomes = (witnesses: Witnesses): string[] => witnesses.states.map(({ outcome }) => outcome);

beforeEach(async () => {
  store = new MemoryLogStore();
  heads = await HeadLog.take(store, key, origin);
  logged = [];
  nowMs = 0;
  [one, two, three] = await Promise.all(
    ['one', 'two', 'three'].map((name) =>
      new StrictWitness(`witness.example/${name}`, HEADS, key.verifiers(HEADS)).start(),
    ),
  );
  policy = `${one!.policyLine}${two!.policyLine}${three!.policyLine}group all 2 one two three\nquorum all\n`;
});

afterEach(async () => {
  for (const witness of [one, two, three]) await witness?.stop();
});

describe('witnesses that answer', () => {
  it('cosign the newest head, which is published with their cosignatures in the order of the policy', async () => {
    const witnesses = witnessesOf();
    await grow(3);
    await round(witnesses);
    expect(cosignedBy('checkpoint')).toEqual({ size: 3, by: ['one', 'two', 'three'] });
    expect(cosignedBy('cosigned-checkpoint')).toEqual({ size: 3, by: ['one', 'two', 'three'] });
    expect(Buffer.from(store.objects.get('public/witness-policy')!).toString()).toBe(policy);
    expect(witnesses.withoutQuorumForMs).toBe(0);
  });

  it('are given the proof from what each cosigned last, and nothing when nothing grew', async () => {
    const witnesses = witnessesOf();
    await grow(3);
    await round(witnesses);
    await round(witnesses);
    await grow(5);
    await round(witnesses);
    expect(one!.requests).toEqual([
      { oldSize: 0, size: 3, proofHashes: 0, status: 200 },
      { oldSize: 3, size: 8, proofHashes: 4, status: 200 },
    ]);
  });

  it('are asked what they cosigned last by a process that does not know (409)', async () => {
    await grow(3);
    await round(witnessesOf());
    await grow(2);
    heads = await HeadLog.take(store, key, origin);
    await round(witnessesOf());
    expect(one!.requests.slice(1)).toEqual([
      { oldSize: 0, size: 5, proofHashes: 0, status: 409 },
      { oldSize: 3, size: 5, proofHashes: 4, status: 200 },
    ]);
    expect(cosignedBy('cosigned-checkpoint')?.size).toBe(5);
  });

  it('cosign the same head again for a process that does not have their cosignatures', async () => {
    await grow(3);
    await round(witnessesOf());
    await round(witnessesOf());
    expect(one!.requests.map(({ oldSize, status }) => [oldSize, status])).toEqual([
      [0, 200],
      [0, 409],
      [3, 200],
    ]);
  });

  it('leave a head that was signed meanwhile as it is', async () => {
    const witnesses = witnessesOf();
    await grow(3);
    one!.before = async () => {
      one!.before = () => Promise.resolve();
      await grow();
    };
    await round(witnesses);
    expect(cosignedBy('checkpoint')).toEqual({ size: 4, by: [] });
    expect(cosignedBy('cosigned-checkpoint')?.size).toBe(3);
    await round(witnesses);
    expect(cosignedBy('checkpoint')?.by).toHaveLength(3);
  });
});

describe('a quorum of two in three', () => {
  it('is reached without the third, whatever that one does', async () => {
    const witnesses = witnessesOf(SHORT_MS);
    three!.misbehaviour = 'never';
    await grow(3);
    await round(witnesses);
    expect(cosignedBy('cosigned-checkpoint')).toEqual({ size: 3, by: ['one', 'two'] });
    expect(outcomes(witnesses)).toEqual(['cosigned', 'cosigned', 'unreachable']);
  });

  it('is not reached by one: the head is published as it is, with how long it waits, and gets it later', async () => {
    const witnesses = witnessesOf();
    await grow(3);
    await round(witnesses);
    two!.misbehaviour = three!.misbehaviour = { status: 503, body: '' };
    await grow();
    await round(witnesses);
    expect(cosignedBy('checkpoint')).toEqual({ size: 4, by: ['one'] });
    expect(cosignedBy('cosigned-checkpoint')?.size).toBe(3);
    nowMs += 7_000;
    expect(witnesses.withoutQuorumForMs).toBe(7_000);
    two!.misbehaviour = undefined;
    await round(witnesses);
    expect(cosignedBy('cosigned-checkpoint')).toEqual({ size: 4, by: ['one', 'two'] });
    expect(witnesses.withoutQuorumForMs).toBe(0);
    expect(one!.requests).toHaveLength(2);
  });
});

describe('a split view', () => {
  const named = (): object[] => logged.filter(({ level }) => level === 'error').map(({ facts }) => facts);

  it.each([
    ['another head of the same size', 5, 'it cosigned another head of 5 entries'],
    ['another head of an earlier size', 4, 'it remembers another head of 4 entries than this log has'],
    ['a later head than the log has', 9, 'it cosigned a head of 9 entries, and this log has 5'],
  ])('is named: the witness has cosigned %s', async (_, size, detail) => {
    const witnesses = witnessesOf();
    await grow(5);
    two!.latest = { size, root: sha256(Buffer.from('fork')) };
    await round(witnesses);
    expect(outcomes(witnesses)).toEqual(['cosigned', 'split-view', 'cosigned']);
    expect(named()).toEqual([{ witness: 'two', code: 'split-view', detail, headsSize: 5 }]);
    expect(cosignedBy('checkpoint')?.by).toEqual(['one', 'three']);
  });

  it('is not what a newer head is that another owner had cosigned', async () => {
    const witnesses = witnessesOf();
    await grow(5);
    one!.before = async () => {
      one!.before = () => Promise.resolve();
      heads = await HeadLog.take(store, key, origin);
      await grow(2);
      await round(witnessesOf());
    };
    await round(witnesses);
    expect(named()).toEqual([]);
    expect(outcomes(witnesses)[0]).toBe('raced');
  });
});

describe('a witness that is not one', () => {
  const text = (): string => readNote(store.objects.get('public/heads/checkpoint')!).text;

  it.each<[string, () => StrictWitness['misbehaviour'], string]>([
    ['never answers', () => 'never', 'unreachable'],
    ['answers without end', () => ({ status: 200, body: Buffer.alloc(100_000, 'x') }), 'unreachable'],
    ['sends elsewhere', () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/' }, body: '' }), 'unreachable'],
    ['does not know the log', () => ({ status: 404, body: '' }), 'refused'],
    ['does not know its key', () => ({ status: 403, body: '' }), 'refused'],
    ['conflicts without a size', () => ({ status: 409, body: '3\n' }), 'invalid-answer'],
    ['answers with nothing', () => ({ status: 200, body: '' }), 'invalid-answer'],
    ['answers with another’s cosignature', () => ({ status: 200, body: one!.cosign(text()) }), 'invalid-answer'],
    ['cosigned another text', () => ({ status: 200, body: two!.cosign(`${text()}x\n`) }), 'invalid-answer'],
  ])('is told apart, keeps nobody waiting, and nothing of it is published: it %s', async (_, misbehaviour, outcome) => {
    await grow(3);
    two!.misbehaviour = misbehaviour();
    const witnesses = witnessesOf(two!.misbehaviour === 'never' ? SHORT_MS : ANSWER_MS_MAX);
    await round(witnesses);
    expect(outcomes(witnesses)).toEqual(['cosigned', outcome, 'cosigned']);
    expect(cosignedBy('checkpoint')?.by).toEqual(['one', 'three']);
  });

  it('never keeps a head from being signed', async () => {
    const witnesses = witnessesOf(SHORT_MS);
    one!.misbehaviour = two!.misbehaviour = three!.misbehaviour = 'never';
    await grow(1);
    witnesses.offer(heads);
    await grow(1);
    witnesses.offer(heads);
    expect((await heads.signed())?.size).toBe(2);
    await witnesses.settled();
  });

  it('is asked again with growing pauses, up to a minute', async () => {
    const witnesses = witnessesOf();
    two!.misbehaviour = { status: 503, body: '' };
    let asked = 0;
    two!.before = () => Promise.resolve(void (asked += 1));
    await grow(1);
    for (let second = 0; second < 200; second += 1) {
      nowMs += 1_000;
      witnesses.offer(heads);
      await witnesses.settled();
    }
    expect(asked).toBe(9);
  });
});
