import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child-process.ts';
import { LocalStackError, notStarted, tailOf } from './local-stack-error.ts';
import { isNamed } from './prerequisites.ts';
import { jvmArguments } from './toolkit.ts';
import type { Toolkit } from './toolkit.ts';

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const COMMAND_TIMEOUT_MS = 10_000;

export interface NativeMongoSettings {
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
}

/** A real `mongod` of this machine: MONGOMS_SYSTEM_BINARY, else the one on PATH; undefined when there is none. */
export function findMongod(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = environment['MONGOMS_SYSTEM_BINARY'];
  const candidate = isNamed(named) ? named : 'mongod';
  return spawnSync(candidate, ['--version'], { timeout: COMMAND_TIMEOUT_MS }).status === 0 ? candidate : undefined;
}

/** @throws LocalStackError port-taken, not-ready */
export async function startMongod(binary: string, o: NativeMongoSettings): Promise<Child> {
  mkdirSync(o.folder, { recursive: true });
  const child = Child.start({
    command: binary,
    args: ['--dbpath', o.folder, '--port', String(o.port), '--bind_ip', '127.0.0.1', '--quiet'],
    pidFile: join(o.folder, 'pid.json'),
    logFile: o.logFile,
  });
  return await untilServing(child, o.port, () => accepts(o.port));
}

/**
 * The development store (see java/): mongo-java-server on one H2 file. A write is on the disk before it is acknowledged.
 * No transactions, change streams, partial or TTL indexes; a query that no unique index narrows scans.
 *
 * @throws LocalStackError port-taken, not-ready
 */
export async function startDevelopmentStore(
  toolkit: Toolkit,
  o: NativeMongoSettings & { archive?: readonly string[] },
): Promise<Child> {
  mkdirSync(o.folder, { recursive: true });
  const child = Child.start({
    command: toolkit.java,
    args: jvmArguments(toolkit, {
      main: 'StoreMain',
      archive: o.archive ?? [`-XX:SharedArchiveFile=${toolkit.storeArchive}`],
      // The engine logs a document that it could not write.
      logLevel: 'off',
      args: [join(o.folder, 'store.mv.db'), String(o.port)],
    }),
    pidFile: join(o.folder, 'pid.json'),
    logFile: o.logFile,
  });
  return await untilServing(child, o.port, () => Promise.resolve(child.ready));
}

async function untilServing(child: Child, port: number, serves: () => Promise<boolean>): Promise<Child> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    const serving = await serves();
    if (child.pid === undefined) {
      throw notStarted('MongoDB', port, child.log());
    }
    if (serving) {
      return child;
    }
    await sleep(POLL_MS);
  }
  await child.kill('SIGKILL');
  throw new LocalStackError('not-ready', `MongoDB did not answer on port ${port}:\n${tailOf(child.log())}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}
