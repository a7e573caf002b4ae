import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { pickFreePort } from './free-port.ts';
import { startNativeKafka } from './native-kafka.ts';
import { newClusterId } from './native-kafka-cluster.ts';
import { startDevelopmentStore } from './native-mongo.ts';
import type { Log, Toolkit } from './toolkit.ts';

/** A JVM writes its archive while it exits: 5 s on an idle machine, much more on a busy one. */
const ARCHIVE_TIMEOUT_MS = 120_000;

/**
 * Makes an archive of the classes each JVM has loaded by the time it serves (AppCDS); with it a start takes a second
 * instead of two. Only speed depends on it: a JVM that cannot make one is told about and used without.
 */
export async function archiveClasses(toolkit: Toolkit, log: Log): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'assent-archive-'));
  try {
    await Promise.all([archiveKafka(toolkit, folder), archiveStore(toolkit, folder)]);
  } catch (error) {
    log(`local stack: no class archive, starts will be slower (${String(error)})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function archiveKafka(toolkit: Toolkit, folder: string): Promise<void> {
  const fresh = `${toolkit.kafkaArchive}.fresh`;
  const ports = { broker: await pickFreePort(), controller: await pickFreePort() };
  const broker = await startNativeKafka(toolkit, {
    folder: join(folder, 'kafka'),
    logFile: join(folder, 'kafka.log'),
    clusterId: newClusterId(),
    ports,
    archive: [`-XX:ArchiveClassesAtExit=${fresh}`],
  });
  await appendOnce(ports.broker);
  await broker.stop(ARCHIVE_TIMEOUT_MS);
  renameSync(fresh, toolkit.kafkaArchive);
}

/** So that the classes of the produce path are in the archive too. */
async function appendOnce(port: number): Promise<void> {
  const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'warm-up', numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic: 'warm-up', acks: -1, messages: [{ value: 'x' }] });
  await producer.disconnect();
}

async function archiveStore(toolkit: Toolkit, folder: string): Promise<void> {
  const fresh = `${toolkit.storeArchive}.fresh`;
  const store = await startDevelopmentStore(toolkit, {
    folder: join(folder, 'mongo'),
    logFile: join(folder, 'mongo.log'),
    port: await pickFreePort(),
    archive: [`-XX:ArchiveClassesAtExit=${fresh}`],
  });
  await store.stop(ARCHIVE_TIMEOUT_MS);
  renameSync(fresh, toolkit.storeArchive);
}
