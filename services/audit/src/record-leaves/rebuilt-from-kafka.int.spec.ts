import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnyEvent, encodeEvent, formatPosition, topicOf } from '@assent/contracts';
import { startTestService, startTestStack, type TestService, type TestStack } from '@assent/testing';
import { Kafka, logLevel } from 'kafkajs';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { verifyFolder } from '../../../../tools/verifier/src/index.ts';
import { AuditModule } from '../audit.module.ts';
import type { ProofBundle } from '../bundle-proofs/proof-bundle.ts';
import { verifiedRecords } from '../bundle-proofs/verify-bundle.fixture.ts';
import { AuditConfig } from '../config.ts';
import type { ShownLogs } from '../show-logs/show-logs.query.ts';

const INBOUND = 'whatsapp.inbound';

describe('the logs of a folder and of Kafka', () => {
  let stack: TestStack;
  let folder: string;
  let inbound: number;

  /** Starts the service, lets it read everything, does something, and stops it. */
  async function run<T>(work: (service: TestService) => Promise<T>): Promise<T> {
    const env = {
      AUDIT_DATA_DIR: join(folder, 'data'),
      AUDIT_SIGNING_KEY_FILE: join(folder, 'key.pem'),
      AUDIT_CHECKPOINT_INTERVAL_MS: '100',
    };
    const service = await startTestService({
      stack,
      name: 'audit',
      configClass: AuditConfig,
      module: AuditModule,
      env,
    });
    try {
      await service.caughtUp();
      return await work(service);
    } finally {
      await service.stop();
    }
  }

  const append = (...events: AnyEvent[]) =>
    stack.log.append(events.map((event) => encodeEvent(topicOf(event.type), event)));

  const sizeOfInbound = () =>
    run(async (service) => {
      const { body } = await service.request('GET', '/v1/logs', { role: 'auditor' });
      return (body as ShownLogs).logs.find(({ name }) => name === `${INBOUND}/${inbound}`)?.size;
    });

  const publicFolder = (): string => join(folder, 'data/public');

  /** Every file of the logs of topics, by its path. */
  async function filesOfLogs(): Promise<Map<string, Buffer>> {
    const below = join(publicFolder(), 'logs');
    const entries = await readdir(below, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const files = paths.sort().map(async (path) => [path.slice(below.length), await readFile(path)] as const);
    return new Map(await Promise.all(files));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assent-rebuilt-'));
    stack = await startTestStack();
    await append(
      exampleEvent('consent.requested.v1'),
      exampleEvent('suppression.cause-added.v1'),
      ...Array.from({ length: 300 }, () => exampleEvent('consent.granted.v1')),
    );
    const [first] = await append(...Array.from({ length: 3 }, () => exampleEvent('whatsapp.message-received.v1')));
    inbound = first!.partition;
  }, 120_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('give all of a person, what stands under their address included, in one file', async () => {
    const { subjectId } = exampleEvent('consent.requested.v1').data;
    const bundle = await run(async (service) => {
      const path = `/v1/proofs/subjects/${subjectId}`;
      return (await service.request('GET', path, { role: 'auditor' })).body as ProofBundle;
    });
    const topics = verifiedRecords(bundle).map((record) => record!.topic);
    expect(topics).toHaveLength(302);
    expect(topics).toContain('suppression.events');
    const [cause] = await stack.records('suppression.events');
    expect(verifiedRecords(bundle).map((record) => formatPosition(record!))).toContain(formatPosition(cause!));
  }, 60_000);

  it('are the same, byte by byte, when the folder is lost and made anew from Kafka', async () => {
    const before = await filesOfLogs();
    expect(before.size).toBeGreaterThan(12);
    await rm(join(folder, 'data'), { recursive: true });
    await run(() => Promise.resolve());
    expect(await filesOfLogs()).toEqual(before);
    expect(await verifyFolder({ folder: publicFolder() })).toMatchObject({ faults: [], checked: { leaves: 305 } });
  }, 60_000);

  it('go on from the kept tiles when Kafka has let old records go, and begin with the oldest without them', async () => {
    await append(exampleEvent('whatsapp.message-received.v1'), exampleEvent('whatsapp.message-received.v1'));
    const kafka = new Kafka({ brokers: stack.env.KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.fetchTopicOffsets(INBOUND);
    const partitions = [{ partition: inbound, offset: '3' }];
    await admin.deleteTopicRecords({ topic: INBOUND, partitions });
    await admin.disconnect();
    expect(await sizeOfInbound()).toBe(5);
    expect(await verifyFolder({ folder: publicFolder() })).toMatchObject({ faults: [], checked: { leaves: 307 } });
    await cp(publicFolder(), join(folder, 'kept'), { recursive: true });
    await rm(join(folder, 'data'), { recursive: true });
    expect(await sizeOfInbound()).toBe(2);
    expect(await verifyFolder({ folder: publicFolder() })).toMatchObject({ faults: [], checked: { leaves: 304 } });
    const [before, after] = [join(folder, 'kept'), publicFolder()].map((at) => join(at, `logs/${INBOUND}/${inbound}`));
    const kept = await readFile(join(before!, 'tile/0/000.p/5'));
    expect(await readFile(join(after!, 'tile/0/000.p/2'))).toEqual(kept.subarray(3 * 32));
  }, 60_000);
});
