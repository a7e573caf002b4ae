import type { BoundHeads } from '../check-heads/bound-heads.ts';
import type { KeyChain } from '../check-keys/key-chain.ts';
import type { Findings } from '../findings/findings.ts';
import { isAboutPersons, LOGGED_TOPICS, logNamed, type LogName } from '../records/topics.ts';
import type { SeenCheckpoint } from '../remember/remembered.ts';
import type { Source } from '../sources/source.ts';

const STRAY_MAX = 1_000;

/**
 * The logs of a source in the order they are verified. A folder says what it has, and whatever else is in it is a fault;
 * of a server one knows the logs that its heads bind. A log that was seen before, or elsewhere, has to be among them.
 * @throws SourceError
 */
export async function findLogs(
  source: Source,
  chain: KeyChain,
  bound: ReadonlyMap<string, BoundHeads>,
  seen: readonly SeenCheckpoint[],
  findings: Findings,
): Promise<LogName[]> {
  const logs = new Map<string, LogName>();
  if (source.lists) await findInFolder(source, chain, logs, findings);
  for (const name of bound.keys()) {
    const log = logNamed(name);
    if (log !== undefined && !source.lists) logs.set(name, log);
    if (logs.has(name)) continue;
    const text = 'the log of heads names this log, and it is not there, or of a topic that this verifier does not know';
    findings.fault('log-missing', { log: name }, text);
  }
  for (const name of new Set(seen.map((before) => before.log))) {
    if (name === 'heads' || logs.has(name) || bound.has(name)) continue;
    const where = seen.find((before) => before.log === name)?.seen ?? '';
    findings.fault('log-missing', { log: name }, `it is not there, and was in ${where}`);
  }
  return [...logs.values()].sort(
    (a, b) =>
      Number(isAboutPersons(a)) - Number(isAboutPersons(b)) ||
      (isAboutPersons(a) ? a.partition - b.partition : 0) ||
      (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition),
  );
}

async function findInFolder(
  source: Source,
  chain: KeyChain,
  logs: Map<string, LogName>,
  findings: Findings,
): Promise<void> {
  let strays = 0;
  const stray = (path: string): void => {
    strays += 1;
    if (strays < STRAY_MAX) findings.fault('stray-file', { log: path }, 'it has no place in an audit folder');
  };
  const top = ['manifest.json', 'witness-policy', 'keys', 'heads', 'logs'];
  for await (const { name } of source.list('')) if (!top.includes(name)) stray(name);
  const keys = chain.keys.map(({ key }) => `${key.id}.note`);
  for await (const { name } of source.list('keys')) if (!keys.includes(name)) stray(`keys/${name}`);
  for await (const { name: topic } of source.list('logs')) {
    if (!Object.hasOwn(LOGGED_TOPICS, topic)) {
      stray(`logs/${topic}`);
      continue;
    }
    for await (const { name } of source.list(`logs/${topic}`)) {
      const log = logNamed(`${topic}/${name}`);
      if (log === undefined) stray(`logs/${topic}/${name}`);
      else logs.set(log.name, log);
    }
  }
}
