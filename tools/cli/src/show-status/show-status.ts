import { connect } from 'node:net';
import { EXIT } from '../command-error.ts';
import { auditFolderOf, type ProcessName, PROCESSES, urlOf } from '../start-platform/platform-processes.ts';
import { type PlatformState, runningPlatform } from '../start-platform/platform-state.ts';
import { answersOk } from '../start-platform/start-platform.ts';

const CONNECT_TIMEOUT_MS = 2_000;

/** `./assent status`: what runs, where, from which provider, and whether it answers. 0 only when all of it does. */
export async function showStatus(): Promise<number> {
  const state = runningPlatform();
  if (state === undefined) {
    console.log('Assent is not up. ./assent up starts it.');
    return EXIT.failed;
  }
  console.log(
    `Assent is ${state.status === 'ready' ? 'up' : state.status} since ${state.since}, supervisor process ${state.pid}.`,
  );
  const health = await healthOf(state);
  for (const line of describePlatform(state, health)) console.log(line);
  return [...health.values()].every((answer) => answer === 'ready' || answer === 'answers') ? EXIT.ok : EXIT.failed;
}

/** A table of everything that runs, with its health where that was asked for. */
export function describePlatform(state: PlatformState, health: ReadonlyMap<string, string> = new Map()): string[] {
  const { kafka, mongo, ports, folder } = state;
  if (kafka === undefined || mongo === undefined || ports === undefined || folder === undefined) return [];
  const rows = [
    ['Kafka', kafka.brokers, kafka.provider],
    ['MongoDB', mongo.uri, mongo.provider],
    ...PROCESSES.map((name) => [name, urlOf(ports, name), '']),
  ].map(([name = '', address = '', provider = '']) => [name, address, provider, health.get(name) ?? '']);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [
    ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()),
    `  audit folder: ${auditFolderOf(folder)}`,
  ];
}

async function healthOf({ kafka, mongo, ports }: PlatformState): Promise<Map<string, string>> {
  if (kafka === undefined || mongo === undefined || ports === undefined) return new Map([['platform', 'starting']]);
  const [brokers, store, ...processes] = await Promise.all([
    listens(kafka.brokers.split(',')[0] ?? ''),
    listens(/^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/,?]+)/.exec(mongo.uri)?.[1] ?? ''),
    ...PROCESSES.map((name) => processHealth(name, urlOf(ports, name))),
  ]);
  const answers = (does: boolean | undefined): string => (does === true ? 'answers' : 'does not answer');
  return new Map([
    ['Kafka', answers(brokers)],
    ['MongoDB', answers(store)],
    ...PROCESSES.map((name, index): [string, string] => [name, processes[index] ?? 'does not answer']),
  ]);
}

async function processHealth(name: ProcessName, url: string): Promise<string> {
  if (name === 'simulator') return (await answersOk(`${url}/livez`)) ? 'ready' : 'does not answer';
  if (await answersOk(`${url}/readyz`)) return 'ready';
  return (await answersOk(`${url}/livez`)) ? 'lives, not ready' : 'does not answer';
}

function listens(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true));
    socket.once('error', settle(false));
    socket.once('timeout', settle(false));
  });
}
