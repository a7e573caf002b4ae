import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePolicy, sha256 } from '@assent/merkle-log';
import { WitnessClient, type WitnessOutcome } from '../../../../services/audit/src/ask-witnesses/witness-client.ts';
import { MemoryLogStore } from '../../../../services/audit/src/merkle-logs/memory-log-store.fixture.ts';
import { key, origin } from '../../../../services/audit/src/sign-checkpoints/audit-process.fixture.ts';
import { HeadLog } from '../../../../services/audit/src/sign-checkpoints/head-log.ts';
import { type RunningWitness, startWitness } from './start-witness.ts';

let folder: string;
let witness: RunningWitness;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-witness-'));
  witness = await start();
});

afterEach(async () => {
  await witness.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(): Promise<RunningWitness> {
  return startWitness({
    name: 'witness.example/w1',
    logs: [key.verifierKey(`${origin}/heads`)],
    folder,
    host: '127.0.0.1',
    port: 0,
    nowS: () => 1_795_512_601,
    log: () => undefined,
  });
}

/** A client that knows nothing yet. */
function client(): WitnessClient {
  const policy = `witness w1 ${witness.verifierKey} ${witness.url}\nquorum w1\n`;
  const [only] = parsePolicy(policy).witnesses;
  if (only === undefined) throw new Error('the policy has no witness');
  return new WitnessClient(only);
}

/** A log of heads; `name` tells its entries from another's. */
async function headLog(name: string, size: number): Promise<HeadLog> {
  const heads = await HeadLog.take(new MemoryLogStore(), key, origin);
  await grow(heads, name, 0, size);
  return heads;
}

async function grow(heads: HeadLog, name: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) {
    const head = { origin: `${origin}/consent.events/0`, size: n + 1, root: sha256(Buffer.from(`${name} ${n}`)) };
    heads.record([{ ...head, extensions: [] }], '2026-11-24T10:00:00.000Z');
  }
  await heads.commit();
}

async function ask(by: WitnessClient, heads: HeadLog): Promise<WitnessOutcome['kind']> {
  const signed = await heads.signed();
  if (signed === undefined) throw new Error('the log of heads is empty');
  const { size, note } = signed;
  const proofFrom = (oldSize: number) => heads.files.tree(size).consistencyProof(oldSize);
  const { kind } = await by.ask({ size, note, proofFrom, newestSize: () => Promise.resolve(size) });
  return kind;
}

describe('the audit service and this witness', () => {
  it('agree while the log only grows, also when either of them was started anew', async () => {
    const heads = await headLog('a', 3);
    const asking = client();
    await expect(ask(asking, heads)).resolves.toBe('cosigned');
    await grow(heads, 'a', 3, 300);
    await expect(ask(asking, heads)).resolves.toBe('cosigned');
    await witness.stop();
    witness = await start();
    await expect(ask(client(), heads)).resolves.toBe('cosigned');
    await grow(heads, 'a', 300, 301);
    await expect(ask(client(), heads)).resolves.toBe('cosigned');
  });

  it.each([
    ['of the same size', 5],
    ['that is longer', 9],
    ['that is shorter', 4],
  ])('find a split view when another log %s goes by its name', async (_, size) => {
    await expect(ask(client(), await headLog('a', 5))).resolves.toBe('cosigned');
    await expect(ask(client(), await headLog('b', size))).resolves.toBe('split-view');
  });
});
