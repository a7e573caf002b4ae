import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { growAuditLog } from './grow-audit-log/grow-audit-log.ts';
import { decideSendRules } from './decide-send-rules/decide-send-rules.ts';
import { foldEvents } from './fold-events/fold-events.ts';
import { memoryOfServices } from './memory-of-services/memory-of-services.ts';
import { optOutToRefusal } from './opt-out-to-refusal/opt-out-to-refusal.ts';
import { receiveWebhook } from './receive-webhook/receive-webhook.ts';
import { keepResult, writeReport } from './report/keep-result.ts';
import { verifyAuditLog } from './verify-audit-log/verify-audit-log.ts';
import { waitAtBarrier } from './wait-at-barrier/wait-at-barrier.ts';

/** In the order of the report. */
const BENCHES: readonly Bench[] = [
  optOutToRefusal,
  receiveWebhook,
  foldEvents,
  waitAtBarrier,
  memoryOfServices,
  growAuditLog,
  verifyAuditLog,
  decideSendRules,
];

const ROUNDS = 5;
const USAGE = `Usage: ./assent bench [name …] [--rounds N] [--trial]

Runs benchmarks against bare baselines and rewrites docs/benchmarks.md. Leave the machine alone meanwhile.
--rounds N  measured rounds of each side (${ROUNDS})
--trial     one short round to see that it runs; nothing is kept

${BENCHES.map(({ name, measures }) => `  ${name}\n      ${measures}`).join('\n')}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, trial: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
const rounds = Number(values.rounds ?? (values.trial === true ? 1 : ROUNDS));
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (values.help === true) {
  console.log(USAGE);
} else if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  const what = unknown.length > 0 ? `There is no benchmark ${unknown.join(', ')}.` : '--rounds takes a number from 1.';
  console.error(`${what}\n\n${USAGE}`);
  process.exitCode = 64;
} else {
  const chosen = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  for (const bench of chosen) await run(bench, rounds, values.trial === true);
  if (values.trial !== true) writeReport(BENCHES.map(({ name }) => name));
  // Clients of Kafka keep timers; nothing of ours is left to do.
  process.exit(0);
}

async function run(bench: Bench, measuredRounds: number, isTrial: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assent-bench-'));
  const progress = (line: string): void => {
    console.log(`  ${line}`);
  };
  console.log(`${bench.name}: ${bench.measures}`);
  try {
    const result = await bench.run({ rounds: measuredRounds, isTrial, progress, folder });
    if (isTrial) console.log(JSON.stringify(result, undefined, 2));
    else keepResult(bench, { rounds: measuredRounds, machine: machine(), result });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function machine(): string {
  const { model } = cpus()[0] ?? { model: 'unknown' };
  const { node, openssl } = process.versions;
  return `${availableParallelism()} cores of ${model}, Node ${node}, OpenSSL ${openssl}, ${process.platform}`;
}
