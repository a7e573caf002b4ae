import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { removeDepartedMembers } from './departed-members.ts';
import { declaredTopic, kafkaForTests } from './kafka.fixture.ts';
import { kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { clusterOf, type ClusterAccess } from './kafkajs-internals.ts';
import { provisionTopics } from './topic-provisioning.ts';

jest.setTimeout(30_000);

const SESSION_MS = 300_000;
const TOPIC = `departed-members-${randomUUID()}`;
const TIMES = {
  connectionTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  retry: { retries: 50, initialRetryTime: 100, maxRetryTime: 300 },
};

interface RawGroup {
  joinGroup(o: object): Promise<{ memberId: string }>;
  describeGroups(o: object): Promise<{ groups: { members: { memberId: string }[] }[] }>;
}

describe('members that a killed process left in a group', () => {
  const settings: KafkaSettings = kafkaForTests();
  const clusters: ClusterAccess[] = [];

  /** The first group of a fresh broker waits for its coordinator; a consumer knows how. */
  beforeAll(async () => {
    await provisionTopics(settings, [declaredTopic(TOPIC, 1)]);
    const consumer = kafkaClient(settings, TIMES).consumer({ groupId: `first-${randomUUID()}` });
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPIC] });
    const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
    await consumer.run({ eachMessage: () => Promise.resolve() });
    await joined;
    await consumer.disconnect();
  });

  afterEach(async () => {
    await Promise.all(clusters.splice(0).map(({ disconnect }) => disconnect()));
  });

  async function coordinatorOf(clientId: string, groupId: string): Promise<RawGroup> {
    const access = clusterOf(kafkaClient({ ...settings, clientId }, TIMES), { metadataMaxAgeMs: 60_000 });
    clusters.push(access);
    await access.connect();
    await access.cluster.refreshMetadata();
    return (await access.cluster.findGroupCoordinator({ groupId })) as unknown as RawGroup;
  }

  /** Joins and is never heard of again: a crashed member, whose session would last for five minutes. */
  async function leftBehind(clientId: string, groupId: string): Promise<string> {
    const broker = await coordinatorOf(clientId, groupId);
    const join = { sessionTimeout: SESSION_MS, rebalanceTimeout: SESSION_MS };
    const groupProtocols = [{ name: 'x', metadata: Buffer.alloc(0) }];
    const { memberId } = await broker.joinGroup({ groupId, ...join, groupProtocols });
    return memberId;
  }

  async function membersOf(groupId: string): Promise<string[]> {
    const { groups } = await (await coordinatorOf('looking', groupId)).describeGroups({ groupIds: [groupId] });
    return groups.flatMap(({ members }) => members.map(({ memberId }) => memberId));
  }

  it('are taken out by the next process of the same place', async () => {
    const groupId = `departed-${randomUUID()}`;
    await leftBehind('service@host:1', groupId);
    await removeDepartedMembers({ ...settings, clientId: 'service', place: 'host:1' }, groupId);
    expect(await membersOf(groupId)).toEqual([]);
  });

  it('of other places, and of processes without one, are left alone', async () => {
    const groupId = `departed-${randomUUID()}`;
    const other = await leftBehind('service@host:2', groupId);
    await removeDepartedMembers({ ...settings, clientId: 'service', place: 'host:1' }, groupId);
    await removeDepartedMembers({ ...settings, clientId: 'service@host:2' }, groupId);
    expect(await membersOf(groupId)).toEqual([other]);
  });

  it('are waited for when the broker does not answer', async () => {
    const unreachable = { ...settings, brokers: ['127.0.0.1:1'], clientId: 'service', place: 'host:1' };
    await expect(removeDepartedMembers(unreachable, 'any')).resolves.toBeUndefined();
  });
});
