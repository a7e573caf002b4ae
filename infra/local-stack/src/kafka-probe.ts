import { Kafka, logLevel } from 'kafkajs';

const CONNECT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** The cluster whose broker answers for metadata at 127.0.0.1:port, and who serves in it; undefined while none does. */
export async function clusterAt(port: number): Promise<{ id: string; nodeIds: readonly number[] } | undefined> {
  const admin = new Kafka({
    clientId: 'assent-local-stack',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: ANSWER_TIMEOUT_MS,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { clusterId, brokers } = await admin.describeCluster();
    return { id: clusterId, nodeIds: brokers.map(({ nodeId }) => nodeId) };
  } catch {
    return undefined;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
