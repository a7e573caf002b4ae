import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { archiveClasses } from './class-archive.ts';
import { LocalStackError } from './local-stack-error.ts';
import type { Log, Toolkit } from './toolkit.ts';
import { tryLock, unlock } from './lock-file.ts';
import { checkPrerequisites, dockerAnswers, isNamed, jdkTool } from './prerequisites.ts';
import { cacheFolder, packageFolder } from './repository.ts';

const run = promisify(execFile);

const LOCK_POLL_MS = 200;
/** A first fetch over a slow line; after that something hangs. */
const STEP_TIMEOUT_MS = 10 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const COMPLETE = 'complete';
const FRESH_PREFIX = 'fresh-';

/** Does now what the first start would do; nothing when the environment or Docker provides the stack. */
export async function prepareLocalStack(o: { log?: Log } = {}): Promise<void> {
  const named = isNamed(process.env['KAFKA_BROKERS']) && isNamed(process.env['MONGODB_URI']);
  if (!named && !dockerAnswers()) {
    await prepareToolkit(o.log ?? (() => undefined));
  }
}

/**
 * Fetches the jars, compiles the launchers and makes the class archives, each once. Every step makes its result under
 * another name and renames it, so a crash leaves nothing half made; a lock lets other processes wait, not repeat.
 *
 * @throws LocalStackError prerequisites-missing, preparation-failed
 */
export function prepareToolkit(log: Log): Promise<Toolkit> {
  prepared ??= prepare(log).catch((error: unknown) => {
    prepared = undefined;
    throw error;
  });
  return prepared;
}

/** Both parts of a stack ask at the same time. */
let prepared: Promise<Toolkit> | undefined;

async function prepare(log: Log): Promise<Toolkit> {
  const pom = join(packageFolder, 'pom.xml');
  const jarsFolder = join(cacheFolder, `jars-${digestOf([readFileSync(pom)])}`);
  const found = existsSync(jarsFolder) ? await findToolkit(jarsFolder) : undefined;
  if (found !== undefined) {
    return found;
  }
  mkdirSync(cacheFolder, { recursive: true });
  return await withLock(join(cacheFolder, 'prepare.lock'), log, async () => {
    removeLeftovers();
    await fetchJars(pom, jarsFolder, log);
    return (await findToolkit(jarsFolder)) ?? (await buildToolkit(jarsFolder, log));
  });
}

/** Half-made results of a run that was killed; called under the lock, so none of them is in the making. */
function removeLeftovers(): void {
  for (const name of readdirSync(cacheFolder).filter((each) => each.startsWith(FRESH_PREFIX))) {
    rmSync(join(cacheFolder, name), { recursive: true });
  }
}

async function findToolkit(jarsFolder: string): Promise<Toolkit | undefined> {
  const folder = await toolkitFolder(jarsFolder);
  return existsSync(join(folder, COMPLETE)) ? toolkitIn(folder, jarsFolder) : undefined;
}

/** Named by all that goes into it: the sources, the jars, the JVM (an archive fits one build) and the place. */
async function toolkitFolder(jarsFolder: string): Promise<string> {
  const { stderr } = await runTool(jdkTool('java'), ['-version']);
  const sources = javaSources().map((file) => readFileSync(file));
  return join(cacheFolder, `launchers-${digestOf([...sources, Buffer.from(jarsFolder), Buffer.from(stderr)])}`);
}

function toolkitIn(folder: string, jarsFolder: string): Toolkit {
  const jars = readdirSync(jarsFolder)
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(jarsFolder, name));
  return {
    java: jdkTool('java'),
    classPath: [join(folder, 'launchers.jar'), ...jars].join(':'),
    kafkaArchive: join(folder, 'kafka.jsa'),
    storeArchive: join(folder, 'store.jsa'),
  };
}

async function fetchJars(pom: string, jarsFolder: string, log: Log): Promise<void> {
  if (existsSync(jarsFolder)) {
    return;
  }
  const missing = checkPrerequisites();
  if (missing.length > 0) {
    const lines = missing.map(({ what, why, how }) => `  - ${what}: ${why}. ${how}`);
    throw new LocalStackError('prerequisites-missing', `Missing on this machine:\n${lines.join('\n')}`);
  }
  log('local stack: fetching Kafka and the development store (once, about 50 MB)');
  const fresh = mkdtempSync(join(cacheFolder, FRESH_PREFIX));
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${fresh}`];
  await runTool('mvn', ['-q', '-B', '-f', pom, ...goal]);
  renameSync(fresh, jarsFolder);
}

async function buildToolkit(jarsFolder: string, log: Log): Promise<Toolkit> {
  const folder = await toolkitFolder(jarsFolder);
  log('local stack: compiling its launchers (once)');
  const classes = mkdtempSync(join(cacheFolder, FRESH_PREFIX));
  const { classPath } = toolkitIn(folder, jarsFolder);
  await runTool(jdkTool('javac'), ['-proc:none', '-nowarn', '-d', classes, '-cp', classPath, ...javaSources()]);
  mkdirSync(folder, { recursive: true });
  const jar = join(folder, 'launchers.jar');
  await runTool(jdkTool('jar'), ['--create', '--file', `${jar}.fresh`, '-C', classes, '.']);
  renameSync(`${jar}.fresh`, jar);
  rmSync(classes, { recursive: true });
  const toolkit = toolkitIn(folder, jarsFolder);
  log('local stack: archiving loaded classes, so that later starts take a second (once)');
  await archiveClasses(toolkit, log);
  writeFileSync(join(folder, COMPLETE), '');
  return toolkit;
}

function javaSources(): string[] {
  const folder = join(packageFolder, 'java', 'assent', 'localstack');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

function digestOf(parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex').slice(0, 16);
}

async function withLock<T>(path: string, log: Log, work: () => Promise<T>): Promise<T> {
  let told = false;
  for (let holder = tryLock(path); holder !== undefined; holder = tryLock(path)) {
    if (!told) {
      log(`local stack: waiting for process ${holder.pid}, which is preparing it`);
      told = true;
    }
    await sleep(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    unlock(path);
  }
}

async function runTool(command: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  try {
    return await run(command, args, { timeout: STEP_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
    throw new LocalStackError('preparation-failed', `${command} failed: ${message}\n${stdout}${stderr}`.trim());
  }
}
