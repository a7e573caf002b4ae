import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  COSIGNATURE,
  cosignatureTimeS,
  cosignatureVerifier,
  ed25519Signer,
  EMPTY_ROOT,
  formatVerifierKey,
  type Hash,
  leafHash,
  nodeHash,
  parseVerifierKey,
  rawPublicKey,
  readNote,
  signCheckpoint,
  verifiedSignatures,
} from '@assent/merkle-log';
import { type RunningWitness, startWitness } from './start-witness.ts';

const ORIGIN = 'log.example/heads';
const NOW_S = 1_795_512_601;

let folder: string;
let witness: RunningWitness;
let said: string[];
let key: KeyObject;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-witness-'));
  key = generateKeyPairSync('ed25519').privateKey;
  said = [];
  witness = await start();
});

afterEach(async () => {
  await witness.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(): Promise<RunningWitness> {
  return startWitness({
    name: 'witness.example/w1',
    logs: [formatVerifierKey(ORIGIN, rawPublicKey(key))],
    folder,
    host: '127.0.0.1',
    port: 0,
    nowS: () => NOW_S,
    log: (line) => said.push(line),
  });
}

/** A log whose leaf n is `<name> <n>`. */
const leavesOf = (name: string, size: number): Hash[] =>
  Array.from({ length: size }, (_, n) => leafHash(Buffer.from(`${name} ${n}`)));

/** The largest power of two below n. */
const half = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1);

function rootOf(leaves: readonly Hash[]): Hash {
  if (leaves.length < 2) return leaves[0] ?? EMPTY_ROOT;
  const k = half(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** RFC 6962, section 2.1.2, word for word. */
function consistencyProof(m: number, leaves: readonly Hash[], isWhole = true): Hash[] {
  const n = leaves.length;
  if (m === n) return isWhole ? [] : [rootOf(leaves)];
  const k = half(n);
  return m <= k
    ? [...consistencyProof(m, leaves.slice(0, k), isWhole), rootOf(leaves.slice(k))]
    : [...consistencyProof(m - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
}

function checkpoint(leaves: readonly Hash[], signedBy = key, origin = ORIGIN): string {
  const root = rootOf(leaves);
  return signCheckpoint({ origin, size: leaves.length, root, extensions: [] }, [ed25519Signer(origin, signedBy)]);
}

async function post(body: string): Promise<{ status: number; type: string | null; text: string }> {
  const answer = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

function add(oldSize: number, leaves: readonly Hash[], proof?: readonly Hash[]): ReturnType<typeof post> {
  const lines = (proof ?? (oldSize === 0 ? [] : consistencyProof(oldSize, leaves))).map(
    (hash) => `${Buffer.from(hash).toString('base64')}\n`,
  );
  return post(`old ${oldSize}\n${lines.join('')}\n${checkpoint(leaves)}`);
}

async function evidence(): Promise<string[]> {
  const log = createHash('sha256').update(ORIGIN).digest('hex');
  return readdir(join(folder, 'logs', log, 'evidence')).catch(() => []);
}

describe('a witness', () => {
  it('shows its verifier key, the same after a restart', async () => {
    const shown = await (await fetch(`${witness.url}/`)).text();
    expect(shown).toBe(`${witness.verifierKey}\n`);
    await witness.stop();
    witness = await start();
    expect(`${witness.verifierKey}\n`).toBe(shown);
  });

  it('cosigns a first checkpoint with the time, verifiable with the key it shows', async () => {
    const leaves = leavesOf('a', 5);
    const { status, text } = await add(0, leaves);
    expect(status).toBe(200);
    const note = readNote(Buffer.from(checkpoint(leaves) + text));
    const { name, publicKey } = parseVerifierKey(witness.verifierKey, COSIGNATURE);
    const [cosignature] = verifiedSignatures(note.text, note.signatures, [cosignatureVerifier(name, publicKey)]);
    expect(cosignatureTimeS(cosignature?.signature ?? Buffer.alloc(0))).toBe(NOW_S);
  });

  it.each([
    [1, 2],
    [3, 7],
    [4, 8],
    [6, 6],
    [7, 300],
  ])('cosigns size %d, then %d with the proof between them', async (first, second) => {
    expect((await add(0, leavesOf('a', first))).status).toBe(200);
    expect((await add(first, leavesOf('a', second))).status).toBe(200);
  });

  it('answers the size it has seen to another old size, also after a restart', async () => {
    await add(0, leavesOf('a', 5));
    await witness.stop();
    witness = await start();
    const conflict = { status: 409, type: 'text/x.tlog.size', text: '5\n' };
    await expect(add(0, leavesOf('a', 9))).resolves.toEqual(conflict);
    await expect(add(7, leavesOf('a', 9))).resolves.toEqual(conflict);
    // The log was set back to what it was before: nothing convicts it yet, and nothing is cosigned.
    await expect(add(3, leavesOf('a', 4))).resolves.toEqual(conflict);
  });

  it('refuses another root of the same size with 409, and keeps the note as evidence', async () => {
    await add(0, leavesOf('a', 5));
    await expect(add(5, leavesOf('b', 5))).resolves.toMatchObject({ status: 409, text: '5\n' });
    expect(await evidence()).toHaveLength(1);
    expect(said.at(-1)).toContain('split-view');
  });

  it('refuses a tree that does not continue what it has seen with 422, and keeps the note as evidence', async () => {
    await add(0, leavesOf('a', 5));
    await expect(add(5, leavesOf('b', 9))).resolves.toMatchObject({ status: 422 });
    expect(await evidence()).toHaveLength(1);
    await expect(add(5, leavesOf('a', 9))).resolves.toMatchObject({ status: 200 });
  });

  it('refuses a first checkpoint with a proof', async () => {
    await expect(add(0, leavesOf('a', 5), leavesOf('x', 1))).resolves.toMatchObject({ status: 422 });
  });

  it('never cosigns two trees that do not continue each other, however many are asked for at once', async () => {
    await add(0, leavesOf('a', 4));
    const trees = Array.from({ length: 8 }, (_, n) => [...leavesOf('a', 4), ...leavesOf(`fork ${n}`, 3)]);
    const answers = await Promise.all(trees.map((leaves) => add(4, leaves)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
  });

  it('refuses a checkpoint that a stranger signed, and a log it does not know', async () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const leaves = leavesOf('a', 2);
    await expect(post(`old 0\n\n${checkpoint(leaves, stranger)}`)).resolves.toMatchObject({ status: 403 });
    await expect(post(`old 0\n\n${checkpoint(leaves, key, 'log.example/other')}`)).resolves.toMatchObject({
      status: 404,
    });
  });

  it.each([
    ['nothing', ''],
    ['no old size', '\n\n'],
    ['a leading zero', 'old 00\n\n'],
    ['a size beyond what can be counted', 'old 9999999999999999\n\n'],
    ['a proof line that is no hash', 'old 0\nabcd\n\n'],
    ['64 proof lines', `old 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n`],
    ['an old size above the checkpoint', 'old 3\n\n'],
    ['an old size below 0', 'old -1\n\n'],
  ])('refuses %s with 400', async (_, head) => {
    await expect(post(head + checkpoint(leavesOf('a', 2)))).resolves.toMatchObject({ status: 400 });
  });

  it('refuses a body without end, and what is no checkpoint', async () => {
    await expect(post('old 0\n\nhello\n')).resolves.toMatchObject({ status: 400 });
    await expect(post(`old 0\n\n${'x'.repeat(70_000)}`)).resolves.toMatchObject({ status: 413 });
  });
});
