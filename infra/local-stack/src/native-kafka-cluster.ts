import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stopStaleChild } from './child-process.ts';
import type { Child, ServiceProcess } from './child-process.ts';
import { isFree, pickFreePort } from './free-port.ts';
import { LocalStackError, portTaken } from './local-stack-error.ts';
import { onLoopback, startNativeKafka } from './native-kafka.ts';
import type { NativeKafkaSettings, NodePorts } from './native-kafka.ts';
import type { RunningPart } from './running-part.ts';
import type { Toolkit } from './toolkit.ts';

/** Enough for an accident; a machine without free ports is told so soon. */
const PORT_ATTEMPTS_MAX = 5;
/** The last nodes of a cluster that stops have nobody to hand over to and would wait seconds for it; a log survives that. */
const CLUSTER_STOP_TIMEOUT_MS = 1_000;

/** One node of the native Kafka, for tests that kill it. */
export interface KafkaNode extends ServiceProcess {
  /** As Kafka names it: 1, 2, … */
  readonly id: number;
  /** `host:port` */
  readonly address: string;
  /** The second way in (see `LocalStackSettings.advertisedPortOf`): where a proxy must connect to, and its own address. */
  readonly proxied?: { readonly target: string; readonly address: string };
  /** Hands its partitions over and ends (SIGTERM). */
  stop(): Promise<void>;
  /** Kills it (SIGKILL) if it still runs, starts it on the same data and ports, resolves when it serves. */
  restart(): Promise<void>;
}

export interface ClusterSettings {
  readonly nodes: number;
  /** Port of the first broker; 0: a free one */
  readonly port: number;
  readonly advertisedPortOf?: (brokerIndex: number) => number;
  /** Holds the data of one size of cluster: its nodes vote with each other. */
  readonly folder: string;
  readonly logFolder: string;
}

/** Kafka on this machine, one node or several that replicate; as a process it is all of them. */
export class NativeKafka implements RunningPart<'native'>, ServiceProcess {
  readonly provider = 'native';
  readonly process = this;

  private constructor(readonly nodes: readonly NativeKafkaNode[]) {}

  /** @throws LocalStackError port-taken, not-ready; nothing keeps running then */
  static async launch(toolkit: Toolkit, o: ClusterSettings): Promise<NativeKafka> {
    if (o.port !== 0 && !(await isFree(o.port))) {
      throw portTaken('Kafka', o.port);
    }
    for (let attempt = 1; ; attempt += 1) {
      const nodes = await nodesOf(toolkit, o);
      const started = await Promise.allSettled(nodes.map((node) => node.start()));
      const failed = started.find((node) => node.status === 'rejected');
      if (failed === undefined) {
        return new NativeKafka(nodes);
      }
      await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
      const taken = failed.reason instanceof LocalStackError && failed.reason.code === 'port-taken';
      if (!taken || o.port !== 0 || attempt >= PORT_ATTEMPTS_MAX) {
        throw failed.reason;
      }
    }
  }

  get address(): string {
    return this.nodes.map(({ address }) => address).join(',');
  }

  /** Of the first node that runs. */
  get pid(): number | undefined {
    return this.nodes.find(({ pid }) => pid !== undefined)?.pid;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill(signal)));
  }

  async restart(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.restart()));
  }

  async stop(): Promise<void> {
    const timeoutMs = this.nodes.length === 1 ? undefined : CLUSTER_STOP_TIMEOUT_MS;
    await Promise.all(this.nodes.map((node) => node.stop(timeoutMs)));
  }
}

class NativeKafkaNode implements KafkaNode {
  readonly id: number;
  readonly address: string;
  readonly proxied?: { readonly target: string; readonly address: string };
  readonly #toolkit: Toolkit;
  readonly #settings: NativeKafkaSettings;
  #child: Child | undefined;

  constructor(toolkit: Toolkit, id: number, settings: NativeKafkaSettings) {
    this.id = id;
    this.#toolkit = toolkit;
    this.#settings = settings;
    const { broker, proxied } = settings.ports;
    this.address = onLoopback(broker);
    if (proxied !== undefined) {
      this.proxied = { target: onLoopback(proxied.listens), address: onLoopback(proxied.advertised) };
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    await stopStaleChild(join(this.#settings.folder, 'pid.json'));
    this.#child = await startNativeKafka(this.#toolkit, this.#settings);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#child?.kill(signal);
  }

  async stop(timeoutMs?: number): Promise<void> {
    await this.#child?.stop(timeoutMs);
  }

  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    await this.start();
  }
}

async function nodesOf(toolkit: Toolkit, o: ClusterSettings): Promise<NativeKafkaNode[]> {
  const clusterId = clusterIdIn(o.folder);
  const ports: NodePorts[] = [];
  for (let index = 0; index < o.nodes; index += 1) {
    const advertised = o.advertisedPortOf?.(index);
    ports.push({
      broker: index === 0 && o.port !== 0 ? o.port : await pickFreePort(),
      controller: await pickFreePort(),
      ...(advertised === undefined ? {} : { proxied: { listens: await pickFreePort(), advertised } }),
    });
  }
  const controllers = ports.map(({ controller }) => onLoopback(controller));
  return ports.map((own, index) => {
    const nodeId = index + 1;
    return new NativeKafkaNode(toolkit, nodeId, {
      folder: o.nodes === 1 ? o.folder : join(o.folder, String(nodeId)),
      logFile: join(o.logFolder, o.nodes === 1 ? 'kafka.log' : `kafka-${nodeId}.log`),
      clusterId,
      ports: own,
      member: { nodeId, controllers },
    });
  });
}

function clusterIdIn(folder: string): string {
  const file = join(folder, 'cluster-id');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, newClusterId());
  }
  return readFileSync(file, 'utf8').trim();
}

/** A first `-` would be taken for an option of the format command. */
export function newClusterId(): string {
  return `A${randomBytes(16).toString('base64url').slice(1)}`;
}
