import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child-process.ts';
import { asProperties, brokerSettings } from './kafka-settings.ts';
import { clusterIdAt } from './kafka-probe.ts';
import { LocalStackError, notStarted, tailOf } from './local-stack-error.ts';
import { jvmArguments } from './toolkit.ts';
import type { Toolkit } from './toolkit.ts';

/** A cold start without a class archive on a busy machine takes some ten seconds. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export interface KafkaPorts {
  readonly broker: number;
  readonly controller: number;
}

/**
 * Starts the broker on `folder` and resolves when it answers for metadata with the folder's own cluster id, so that a
 * stranger on the same port is not taken for it.
 *
 * @throws LocalStackError port-taken, not-ready
 */
export async function startNativeKafka(
  toolkit: Toolkit,
  o: { folder: string; logFile: string; ports: KafkaPorts; archive?: readonly string[] },
): Promise<Child> {
  mkdirSync(o.folder, { recursive: true });
  const clusterId = clusterIdOf(o.folder);
  const logFolder = join(o.folder, 'log');
  const properties = join(o.folder, 'server.properties');
  const broker = `127.0.0.1:${o.ports.broker}`;
  const controller = `127.0.0.1:${o.ports.controller}`;
  const settings = brokerSettings({ broker, advertised: broker, controller, controllerBind: controller, logFolder });
  writeFileSync(properties, asProperties(settings));
  const child = Child.start({
    command: toolkit.java,
    args: jvmArguments(toolkit, {
      main: 'BrokerMain',
      archive: o.archive ?? [`-XX:SharedArchiveFile=${toolkit.kafkaArchive}`],
      logLevel: 'warn',
      args: [properties, logFolder, clusterId],
    }),
    pidFile: join(o.folder, 'pid.json'),
    logFile: o.logFile,
  });
  try {
    await untilAnswering(child, o.ports.broker, clusterId);
  } catch (error) {
    await child.kill('SIGKILL');
    throw error;
  }
  return child;
}

async function untilAnswering(child: Child, port: number, clusterId: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (child.pid === undefined) {
      throw notStarted('Kafka', port, child.log());
    }
    if ((await clusterIdAt(port)) === clusterId) {
      return;
    }
    await sleep(POLL_MS);
  }
  throw new LocalStackError('not-ready', `Kafka did not answer on port ${port} in time:\n${tailOf(child.log())}`);
}

function clusterIdOf(folder: string): string {
  const file = join(folder, 'cluster-id');
  if (!existsSync(file)) {
    // A first `-` would be taken for an option of the format command.
    writeFileSync(file, `A${randomBytes(16).toString('base64url').slice(1)}`);
  }
  return readFileSync(file, 'utf8').trim();
}
