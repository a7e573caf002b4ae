import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadTopicDeclaration, provisionTopics } from '@assent/event-log';
import { isFree, isRunning, type LocalStack, pickFreePort, readIdentity, startLocalStack } from '@assent/local-stack';
import { CommandError, EXIT } from '../command-error.ts';
import { assertEmptyLog } from './assert-empty-log.ts';
import { ManagedProcess } from './managed-process.ts';
import {
  environmentOf,
  LOCAL_PORTS,
  type PlatformPlan,
  PROCESSES,
  type ProcessName,
  REPOSITORY,
  scriptOf,
  STACK_PORTS,
  urlOf,
} from './platform-processes.ts';
import { ownerOfPort } from './port-owner.ts';
import { waitUntil } from './wait-until.ts';

/** A first join of the consumer groups on a loaded machine takes tens of seconds. */
const READY_TIMEOUT_MS = 90_000;
/** Pause before a process that ended by itself is started again, doubled each time up to the longest. */
const RESTART_MIN_MS = 1_000;
const RESTART_MAX_MS = 30_000;
/** How often a paused process is looked at. */
const PAUSED_POLL_MS = 200;
const PROBE_TIMEOUT_MS = 2_000;

/** Each group ends before the next: who causes events first, who records them last. */
const STOP_ORDER: readonly (readonly ProcessName[])[] = [
  ['simulator', 'dispatch'],
  ['consent', 'suppression'],
  ['audit'],
];

export interface PlatformSettings {
  /** Where the stack's data, the keys and the audit's logs lie. */
  readonly dataDir: string;
  readonly logsDir: string;
  /** `local`: the ports that people know. `free`: any, and a stack of its own, so that a test can run beside a demo. */
  readonly ports: 'local' | 'free';
  /** Empties `dataDir` first, and refuses a broker of the environment's that holds records. */
  readonly fresh: boolean;
  /** Where a service can be paused, see `pauseFileOf`; absent: nowhere. */
  readonly runDir?: string;
  /** For people, one line a call. */
  readonly progress?: (line: string) => void;
  /** Told when the stack is up and whenever a process was started, so that both can be written down at once. */
  readonly onChange?: (platform: Platform) => void;
  /** Ends the start in the middle: what was started is stopped, and the start rejects. */
  readonly signal?: AbortSignal;
}

/** While this file names a running process, a service that has ended is not started again. */
export function pauseFileOf(runDir: string, name: ProcessName): string {
  return join(runDir, `${name}.paused`);
}

/**
 * Starts the whole platform as children of this process: the local stack, the topics, the simulator, the four services;
 * resolves when all of them are ready. A process that ends by itself is started again.
 *
 * @throws CommandError (ports in use, a process that does not become ready), LocalStackError; nothing keeps running then
 */
export async function startPlatform(settings: PlatformSettings): Promise<Platform> {
  const ports = settings.ports === 'local' ? LOCAL_PORTS : await freePorts();
  if (settings.ports === 'local') await assertPortsFree();
  if (settings.fresh) rmSync(settings.dataDir, { recursive: true, force: true });
  mkdirSync(settings.dataDir, { recursive: true });
  const stack = await startStack(settings);
  const platform = new Platform(settings, stack, planOf(settings, stack, ports));
  const abort = (): void => void platform.stop();
  settings.signal?.addEventListener('abort', abort);
  settings.onChange?.(platform);
  try {
    await platform.begin();
    settings.signal?.throwIfAborted();
    return platform;
  } catch (error) {
    await platform.stop();
    throw settings.signal?.aborted === true ? interrupted() : error;
  } finally {
    settings.signal?.removeEventListener('abort', abort);
  }
}

async function startStack(settings: PlatformSettings): Promise<LocalStack> {
  const wished = async (port: number): Promise<number> =>
    settings.ports === 'local' && (await isFree(port)) ? port : 0;
  const stack = await startLocalStack({
    dataDir: join(settings.dataDir, 'stack'),
    kafkaPort: await wished(STACK_PORTS.kafka),
    mongoPort: await wished(STACK_PORTS.mongo),
    ...(settings.ports === 'free' ? { providers: ['docker', 'native'] as const } : {}),
    ...(settings.progress === undefined ? {} : { log: settings.progress }),
  });
  if (settings.signal?.aborted !== true) return stack;
  await stack.stop();
  throw interrupted();
}

/** Containers keep nothing, so keys and audit logs that go with them must not outlive them either. */
function planOf({ dataDir }: PlatformSettings, stack: LocalStack, ports: PlatformPlan['ports']): PlatformPlan {
  const inContainers = [stack.kafka.provider, stack.mongo.provider].includes('docker');
  const folder = resolve(inContainers ? join(dataDir, 'containers') : dataDir);
  if (inContainers) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  return { ports, brokers: stack.kafka.brokers, mongoUri: stack.mongo.uri, folder };
}

export class Platform {
  readonly plan: PlatformPlan;
  readonly stack: LocalStack;
  readonly urls: Readonly<Record<ProcessName, string>>;
  readonly #settings: PlatformSettings;
  readonly #running = new Map<ProcessName, ManagedProcess>();
  #stopped: Promise<void> | undefined;

  constructor(settings: PlatformSettings, stack: LocalStack, plan: PlatformPlan) {
    this.#settings = settings;
    this.stack = stack;
    this.plan = plan;
    this.urls = Object.fromEntries(PROCESSES.map((name) => [name, urlOf(plan.ports, name)])) as Platform['urls'];
  }

  processes(): readonly { readonly name: ProcessName; readonly process: ManagedProcess }[] {
    return [...this.#running].map(([name, process]) => ({ name, process }));
  }

  async begin(): Promise<void> {
    const brokers = this.plan.brokers.split(',');
    const declaration = loadTopicDeclaration(readFileSync(join(REPOSITORY, 'infra', 'kafka', 'topics.yaml'), 'utf8'));
    await provisionTopics({ brokers, clientId: 'assent-cli' }, declaration);
    if (this.#settings.fresh && this.stack.kafka.provider === 'environment') await assertEmptyLog(brokers, declaration);
    await Promise.all(
      PROCESSES.map(async (name) => {
        if (this.#stopped !== undefined) return;
        await this.#untilReady(name, this.#launch(name, false));
      }),
    );
    for (const { name, process } of this.processes()) void this.#keepRunning(name, process);
  }

  /** Ends the processes and then the stack; repeats await the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const group of STOP_ORDER) await Promise.all(group.map(async (name) => this.#running.get(name)?.stop()));
    await this.stack.stop();
  }

  #launch(name: ProcessName, keepLog: boolean): ManagedProcess {
    const started = ManagedProcess.start({
      script: scriptOf(name),
      environment: environmentOf(name, this.plan, process.env),
      logFile: join(this.#settings.logsDir, `${name}.log`),
      keepLog,
    });
    this.#running.set(name, started);
    this.#settings.onChange?.(this);
    return started;
  }

  async #untilReady(name: ProcessName, child: ManagedProcess): Promise<void> {
    const probe = `${this.urls[name]}/${name === 'simulator' ? 'livez' : 'readyz'}`;
    const outcome = await waitUntil(async () => {
      if (!child.isRunning) return 'ended';
      return (await answersOk(probe)) ? 'ready' : undefined;
    }, READY_TIMEOUT_MS);
    if (this.#stopped !== undefined || outcome === 'ready') {
      if (outcome === 'ready') this.#settings.progress?.(`${name} is ready`);
      return;
    }
    const what = outcome === 'ended' ? 'ended at once' : `was not ready within ${READY_TIMEOUT_MS / 1_000} s`;
    const log = join(this.#settings.logsDir, `${name}.log`);
    throw new CommandError(`${name} ${what}. The end of ${log}:\n${child.logTail()}`);
  }

  async #keepRunning(name: ProcessName, first: ManagedProcess): Promise<void> {
    let child = first;
    for (let waitMs = RESTART_MIN_MS; ; waitMs = Math.min(waitMs * 2, RESTART_MAX_MS)) {
      const code = await child.exited;
      if (await this.#wasPaused(name)) waitMs = RESTART_MIN_MS;
      else {
        if (this.#stopped !== undefined) return;
        this.#settings.progress?.(`${name} ended by itself (exit code ${code}); it is started again`);
        await pause(waitMs);
      }
      if (this.#stopped !== undefined) return;
      child = this.#launch(name, true);
    }
  }

  /** Waits while an operator's command has the service paused. */
  async #wasPaused(name: ProcessName): Promise<boolean> {
    const { runDir } = this.#settings;
    const pausedBy = () => (runDir === undefined ? undefined : readIdentity(pauseFileOf(runDir, name)));
    let waited = false;
    for (let holder = pausedBy(); holder !== undefined && isRunning(holder); holder = pausedBy()) {
      if (this.#stopped !== undefined) return true;
      waited = true;
      await pause(PAUSED_POLL_MS);
    }
    return waited;
  }
}

/** Whether a GET is answered with a 2xx in time. */
export async function answersOk(url: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function freePorts(): Promise<PlatformPlan['ports']> {
  const taken = new Set<number>();
  while (taken.size < PROCESSES.length) taken.add(await pickFreePort());
  const ports = [...taken];
  return Object.fromEntries(PROCESSES.map((name, index) => [name, ports[index]])) as unknown as PlatformPlan['ports'];
}

/** @throws CommandError that names every port in use and who has it */
async function assertPortsFree(): Promise<void> {
  const lines: string[] = [];
  for (const name of PROCESSES) {
    const port = LOCAL_PORTS[name];
    if (await isFree(port)) continue;
    const owner = ownerOfPort(port);
    const who = owner === undefined ? 'a process that this user may not see' : `process ${owner.pid}: ${owner.command}`;
    lines.push(`  ${port} (${name}) is used by ${who}`);
  }
  if (lines.length === 0) return;
  const remedy = 'End what uses them, then run this again. If it is an earlier Assent of this folder: ./assent down';
  throw new CommandError(`These ports are in use:\n${lines.join('\n')}\n${remedy}`, EXIT.unavailable);
}

function interrupted(): CommandError {
  return new CommandError('interrupted', EXIT.interrupted);
}
