import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callLogOf, type ProcessAddresses, REPOSITORY, scriptOf, type ServiceName, SERVICES } from '@assent/cli';
import { loadTopicDeclaration, provisionTopics } from '@assent/event-log';
import { type LocalStack, pickFreePort, startLocalStack } from '@assent/local-stack';
import { FaultProxy } from '../fault-proxy/fault-proxy.ts';
import { monotonicMs } from './monotonic.ts';
import { PartProcess } from './part-process.ts';
import { environmentOf, type PartName, partName, processOf, serviceOf } from './parts.ts';

export interface PlatformSettings {
  /** Data, keys and logs; emptied at the start. */
  readonly folder: string;
  /** Processes of each service; absent: one each, two of dispatch. */
  readonly processes?: Partial<Readonly<Record<ServiceName, number>>>;
  /** Services that reach Kafka through the proxies `kafkaLinks`; absent: dispatch. The others reach it directly. */
  readonly throughKafkaProxy?: readonly ServiceName[];
  /** Test builds: modules imported before a service's program, absolute paths. */
  readonly imports?: Partial<Readonly<Record<PartName, readonly string[]>>>;
  /** Settings of a service beside those of the platform. */
  readonly environment?: Partial<Readonly<Record<ServiceName | 'simulator', Readonly<Record<string, string>>>>>;
  /** 3: a cluster, topics with three replicas of which two must be in step. Absent: 1. */
  readonly kafkaNodes?: 1 | 3;
  /** In [0, 1), for jitter of the proxies. */
  readonly random: () => number;
  readonly progress?: (line: string) => void;
}

/** A process was stopped by SIGSTOP from `fromMs` to `toMs` (monotonic); `toMs` is Infinity while it still is. */
export interface Pause {
  readonly part: PartName;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Each group ends before the next: who causes events first, who records them last. */
const STOP_ORDER: readonly (readonly (ServiceName | 'simulator')[])[] = [
  ['simulator', 'dispatch'],
  ['consent', 'suppression'],
  ['audit'],
];

/**
 * The whole platform as real processes: Kafka and the store from the local stack, the simulator, and N processes of each
 * service under a small orchestrator. What a process says to the store, and dispatch to Kafka and WhatsApp, goes through
 * fault proxies. Times are monotonic milliseconds of the machine (`monotonicMs`).
 */
export class SoakPlatform {
  readonly folder: string;
  readonly stack: LocalStack;
  readonly parts: ReadonlyMap<PartName, PartProcess>;
  /** One per Kafka node, shared by the services of `throughKafkaProxy`. */
  readonly kafkaLinks: readonly FaultProxy[];
  /** Each process's way to the store. */
  readonly storeLinks: ReadonlyMap<PartName, FaultProxy>;
  /** Each dispatch process's way to WhatsApp. */
  readonly whatsappLinks: ReadonlyMap<PartName, FaultProxy>;
  readonly #addresses: ReadonlyMap<PartName, ProcessAddresses>;
  readonly #pauses: { part: PartName; fromMs: number; toMs: number }[] = [];

  /** By `start`. */
  constructor(o: {
    folder: string;
    stack: LocalStack;
    parts: ReadonlyMap<PartName, PartProcess>;
    addresses: ReadonlyMap<PartName, ProcessAddresses>;
    links: Links;
  }) {
    this.folder = o.folder;
    this.stack = o.stack;
    this.parts = o.parts;
    this.#addresses = o.addresses;
    this.kafkaLinks = o.links.kafka;
    this.storeLinks = o.links.store;
    this.whatsappLinks = o.links.whatsapp;
  }

  /**
   * Starts everything, resolves when every part is ready.
   *
   * @throws LocalStackError, or Error when a part does not become ready; nothing keeps running then
   */
  static async start(settings: PlatformSettings): Promise<SoakPlatform> {
    const folder = resolve(settings.folder);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    const names = partNames(settings);
    const ports = await distinctPorts(names.length);
    const portOf = new Map(names.map((name, index) => [name, ports[index] ?? 0]));
    const { kafkaNodes } = withDefaults(settings);
    const kafkaProxies = await startKafkaProxies(kafkaNodes, settings.random);
    const opened: { stack?: LocalStack; links?: Links } = {};
    try {
      const stack = await startLocalStack({
        dataDir: join(folder, 'stack'),
        providers: ['native'],
        kafkaNodes,
        advertisedPortOf: (index) => kafkaProxies.proxies[index]?.port ?? 0,
        ...(settings.progress === undefined ? {} : { log: settings.progress }),
      });
      opened.stack = stack;
      kafkaProxies.connectTo(stack);
      const links = await openLinks(names, stack, kafkaProxies.proxies, portOf, settings.random);
      opened.links = links;
      const topicsFile = await provision(folder, stack, kafkaNodes);
      const platform = assemble({ settings, folder, stack, links, names, portOf, topicsFile });
      try {
        await platform.#begin();
      } catch (error) {
        await platform.#stopProcesses();
        throw error;
      }
      return platform;
    } catch (error) {
      await closeLinks(opened.links ?? { kafka: kafkaProxies.proxies, store: new Map(), whatsapp: new Map() });
      await opened.stack?.stop();
      throw error;
    }
  }

  /** host:port, separated by commas, past every proxy: for raw reading. */
  get brokers(): string {
    return this.stack.kafka.brokers;
  }

  part(name: PartName): PartProcess {
    const part = this.parts.get(name);
    if (part === undefined) throw new Error(`this platform has no part ${name}`);
    return part;
  }

  /** Every process of a service, in order. */
  partsOf(service: ServiceName): readonly PartName[] {
    return [...this.parts.keys()].filter((name) => serviceOf(name) === service);
  }

  url(name: PartName): string {
    return `http://127.0.0.1:${this.#addressesOf(name).port}`;
  }

  /** What the process is told of the others: to run a maintenance mode (`main.js rebuild`) of the same service by hand. */
  environmentOf(name: PartName): Readonly<Record<string, string>> {
    return environmentOf(name, this.#addressesOf(name), process.env);
  }

  /** JSON lines of every call that reached the provider; see the simulator's README. */
  get callLogFile(): string {
    return callLogOf(this.folder);
  }

  /** SIGSTOP. The pause is on record from before the signal until after SIGCONT, so it is never too short. */
  pause(name: PartName): void {
    const fromMs = monotonicMs();
    if (this.part(name).signal('SIGSTOP')) this.#pauses.push({ part: name, fromMs, toMs: Infinity });
  }

  resume(name: PartName): void {
    this.part(name).signal('SIGCONT');
    const toMs = monotonicMs();
    for (const pause of this.#pauses) if (pause.part === name && pause.toMs === Infinity) pause.toMs = toMs;
  }

  /** Every pause so far. */
  get pauses(): readonly Pause[] {
    return this.#pauses;
  }

  /** Kills it and resolves when it is ready again; answers the milliseconds from its start to ready. */
  async restart(name: PartName): Promise<number> {
    await this.part(name).kill9({ stayDown: true });
    this.part(name).start();
    return this.part(name).waitReady();
  }

  /** Takes back every fault, resumes what is paused, starts what is down; resolves when every part is ready. */
  async heal(): Promise<void> {
    for (const link of this.#links()) link.heal();
    for (const name of this.parts.keys()) this.resume(name);
    await this.#begin();
  }

  /** Ordered end of the processes, then the proxies and the stack; leaves nothing running. */
  async stop(): Promise<void> {
    for (const link of this.#links()) link.heal();
    for (const name of this.parts.keys()) this.resume(name);
    await this.#stopProcesses();
    await closeLinks({ kafka: this.kafkaLinks, store: this.storeLinks, whatsapp: this.whatsappLinks });
    await this.stack.stop();
  }

  async #begin(): Promise<void> {
    for (const part of this.parts.values()) part.start();
    const ready = await Promise.allSettled([...this.parts.values()].map((part) => part.waitReady()));
    // All of them are told: one that is late has another cause than five.
    const reasons = ready.flatMap((part) => (part.status === 'rejected' ? [(part.reason as Error).message] : []));
    if (reasons.length > 0) throw new Error(reasons.join('\n'));
  }

  async #stopProcesses(): Promise<void> {
    for (const group of STOP_ORDER) {
      const ending = [...this.parts].filter(([name]) => group.includes(serviceOf(name) ?? 'simulator'));
      await Promise.all(ending.map(([, part]) => part.retire()));
    }
  }

  #addressesOf(name: PartName): ProcessAddresses {
    const addresses = this.#addresses.get(name);
    if (addresses === undefined) throw new Error(`this platform has no part ${name}`);
    return addresses;
  }

  #links(): readonly FaultProxy[] {
    return [...this.kafkaLinks, ...this.storeLinks.values(), ...this.whatsappLinks.values()];
  }
}

/** Pure: what a platform is when nothing else is said; equal settings give equal platforms. */
export function withDefaults(
  settings: Omit<PlatformSettings, 'folder' | 'random' | 'progress'>,
): Required<Omit<PlatformSettings, 'folder' | 'random' | 'progress'>> {
  const { processes, throughKafkaProxy = ['dispatch'], imports = {}, environment = {}, kafkaNodes = 1 } = settings;
  return {
    processes: { consent: 1, suppression: 1, dispatch: 2, audit: 1, ...processes },
    throughKafkaProxy,
    imports,
    environment,
    kafkaNodes,
  };
}

interface Links {
  readonly kafka: readonly FaultProxy[];
  readonly store: ReadonlyMap<PartName, FaultProxy>;
  readonly whatsapp: ReadonlyMap<PartName, FaultProxy>;
}

function partNames(settings: PlatformSettings): PartName[] {
  const { processes } = withDefaults(settings);
  const services = SERVICES.flatMap((service) =>
    Array.from({ length: processes[service] ?? 1 }, (_, index) => partName(service, index + 1)),
  );
  return ['simulator', ...services];
}

async function distinctPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await pickFreePort());
  return [...ports];
}

/** The proxies must listen before the broker is started, which advertises them; where they lead is known after. */
async function startKafkaProxies(
  nodes: number,
  random: () => number,
): Promise<{ proxies: readonly FaultProxy[]; connectTo: (stack: LocalStack) => void }> {
  const targets: number[] = [];
  const proxies = await Promise.all(
    Array.from({ length: nodes }, (_, index) => FaultProxy.start({ targetPort: () => targets[index] ?? 0, random })),
  );
  return {
    proxies,
    connectTo: (stack) => {
      stack.kafkaNodes.forEach((node, index) => {
        targets[index] = portOfAddress(node.proxied?.target ?? '');
      });
    },
  };
}

async function openLinks(
  names: readonly PartName[],
  stack: LocalStack,
  kafka: readonly FaultProxy[],
  portOf: ReadonlyMap<PartName, number>,
  random: () => number,
): Promise<Links> {
  const storePort = Number(new URL(stack.mongo.uri).port);
  const simulatorPort = portOf.get('simulator') ?? 0;
  const store = new Map<PartName, FaultProxy>();
  const whatsapp = new Map<PartName, FaultProxy>();
  for (const name of names) {
    if (serviceOf(name) !== undefined) store.set(name, await FaultProxy.start({ targetPort: () => storePort, random }));
    if (serviceOf(name) === 'dispatch')
      whatsapp.set(name, await FaultProxy.start({ targetPort: () => simulatorPort, random }));
  }
  return { kafka, store, whatsapp };
}

async function closeLinks({ kafka, store, whatsapp }: Links): Promise<void> {
  await Promise.all([...kafka, ...store.values(), ...whatsapp.values()].map((link) => link.close()));
}

/** Creates the topics; with three nodes they are declared as production declares them, with the local partition count. */
async function provision(folder: string, stack: LocalStack, nodes: number): Promise<string> {
  const declared = readFileSync(join(REPOSITORY, 'infra', 'kafka', 'topics.yaml'), 'utf8');
  const text =
    nodes === 1
      ? declared
      : declared
          .replace('replicationFactor: 1', `replicationFactor: ${nodes}`)
          .replace('minInsyncReplicas: 1', `minInsyncReplicas: ${nodes - 1}`);
  const file = join(folder, 'topics.yaml');
  writeFileSync(file, text);
  const settings = { brokers: stack.kafka.brokers.split(','), clientId: 'assent-soak' };
  await provisionTopics(settings, loadTopicDeclaration(text));
  return file;
}

function assemble(o: {
  settings: PlatformSettings;
  folder: string;
  stack: LocalStack;
  links: Links;
  names: readonly PartName[];
  portOf: ReadonlyMap<PartName, number>;
  topicsFile: string;
}): SoakPlatform {
  const { settings, folder, stack, links, names, portOf } = o;
  const proxied = withDefaults(settings).throughKafkaProxy;
  const url = (port: number | undefined): string => `http://127.0.0.1:${port ?? 0}`;
  const addresses = new Map<PartName, ProcessAddresses>();
  const parts = new Map<PartName, PartProcess>();
  for (const name of names) {
    const service = serviceOf(name);
    const port = portOf.get(name) ?? 0;
    const isProxied = service !== undefined && proxied.includes(service);
    const at: ProcessAddresses = {
      port,
      brokers: isProxied ? links.kafka.map((link) => `127.0.0.1:${link.port}`).join(',') : stack.kafka.brokers,
      mongoUri: `mongodb://127.0.0.1:${links.store.get(name)?.port ?? 0}/?directConnection=true`,
      consentUrl: url(portOf.get('consent-1')),
      whatsappUrl: url(links.whatsapp.get(name)?.port),
      folder,
    };
    addresses.set(name, at);
    parts.set(
      name,
      new PartProcess({
        name,
        script: scriptOf(processOf(name)),
        imports: settings.imports?.[name] ?? [],
        environment: {
          ...environmentOf(name, at, process.env),
          ASSENT_TOPICS_FILE: o.topicsFile,
          ...settings.environment?.[processOf(name)],
        },
        logFile: join(folder, 'logs', `${name}.log`),
        readyUrl: `${url(port)}/${service === undefined ? 'livez' : 'readyz'}`,
      }),
    );
  }
  return new SoakPlatform({ folder, stack, parts, addresses, links });
}

function portOfAddress(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** Looks again and again until `found` answers something, or the time is over: then undefined. */
export async function until<T>(
  found: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number,
): Promise<T | undefined> {
  const deadline = monotonicMs() + timeoutMs;
  for (;;) {
    const answer = await found();
    if (answer !== undefined || monotonicMs() >= deadline) return answer;
    await sleep(20);
  }
}
