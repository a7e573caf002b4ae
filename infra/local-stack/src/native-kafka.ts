import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child-process.ts';
import { asProperties, brokerSettings } from './kafka-settings.ts';
import type { ClusterMember } from './kafka-settings.ts';
import { clusterAt } from './kafka-probe.ts';
import { LocalStackError, notStarted, tailOf } from './local-stack-error.ts';
import { jvmArguments } from './toolkit.ts';
import type { Toolkit } from './toolkit.ts';

/** A cold start without a class archive on a busy machine takes some ten seconds. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export interface NodePorts {
  readonly broker: number;
  readonly controller: number;
  /** The second way in: where the node listens for a proxy, and the proxy's port, which it tells clients to come to. */
  readonly proxied?: { readonly listens: number; readonly advertised: number };
}

export interface NativeKafkaSettings {
  readonly folder: string;
  readonly logFile: string;
  readonly clusterId: string;
  readonly ports: NodePorts;
  /** absent: the only node */
  readonly member?: ClusterMember;
  /** JVM flags about the class archive; absent: use it */
  readonly archive?: readonly string[];
}

/**
 * Starts one node on `folder` and resolves when it answers for metadata with the id of its own cluster, so that a
 * stranger on the same port is not taken for it, and serves in it. A member needs most of its cluster for that.
 *
 * @throws LocalStackError port-taken, not-ready
 */
export async function startNativeKafka(toolkit: Toolkit, o: NativeKafkaSettings): Promise<Child> {
  mkdirSync(o.folder, { recursive: true });
  const logFolder = join(o.folder, 'log');
  const properties = join(o.folder, 'server.properties');
  writeFileSync(properties, asProperties(settingsOf(o, logFolder)));
  const child = Child.start({
    command: toolkit.java,
    args: jvmArguments(toolkit, {
      main: 'BrokerMain',
      archive: o.archive ?? [`-XX:SharedArchiveFile=${toolkit.kafkaArchive}`],
      logLevel: 'warn',
      args: [properties, logFolder, o.clusterId],
    }),
    pidFile: join(o.folder, 'pid.json'),
    logFile: o.logFile,
  });
  try {
    await untilServing(child, o);
  } catch (error) {
    await child.kill('SIGKILL');
    throw error;
  }
  return child;
}

function settingsOf({ ports, member }: NativeKafkaSettings, logFolder: string): ReturnType<typeof brokerSettings> {
  const [broker, controller] = [ports.broker, ports.controller].map(onLoopback) as [string, string];
  return brokerSettings({
    broker,
    advertised: broker,
    controller,
    controllerBind: controller,
    logFolder,
    ...(member === undefined ? {} : { member }),
    ...(ports.proxied === undefined
      ? {}
      : { proxied: { listens: onLoopback(ports.proxied.listens), advertised: onLoopback(ports.proxied.advertised) } }),
  });
}

export function onLoopback(port: number): string {
  return `127.0.0.1:${port}`;
}

async function untilServing(child: Child, { ports, clusterId, member }: NativeKafkaSettings): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (child.pid === undefined) {
      throw notStarted('Kafka', ports.broker, child.log());
    }
    const cluster = await clusterAt(ports.broker);
    if (cluster?.id === clusterId && cluster.nodeIds.includes(member?.nodeId ?? 1)) {
      return;
    }
    await sleep(POLL_MS);
  }
  const where = `Kafka did not answer on port ${ports.broker} in time`;
  throw new LocalStackError('not-ready', `${where}:\n${tailOf(child.log())}`);
}
