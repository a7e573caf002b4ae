import { parseArgs } from 'node:util';
import { startWitness } from './serve-witness/start-witness.ts';

const USAGE = `Usage: node tools/witness/dist/main.js --name <key name> --folder <folder> --log <verifier key> [--log …]
         [--host 127.0.0.1] [--port 4020]

Cosigns checkpoints of these logs as https://c2sp.org/tlog-witness says. Run it where the operator of the logs has no
access. The folder holds its key and what it has seen: back it up, and never run it from an older copy.`;

const { values } = parseArgs({
  options: {
    name: { type: 'string' },
    folder: { type: 'string' },
    log: { type: 'string', multiple: true },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '4020' },
    help: { type: 'boolean', short: 'h' },
  },
});
const { name, folder, log: logs = [] } = values;
const port = Number(values.port);
if (values.help === true) {
  console.log(USAGE);
} else if (name === undefined || folder === undefined || logs.length === 0 || !Number.isInteger(port)) {
  console.error(`A witness needs --name, --folder and at least one --log.\n\n${USAGE}`);
  process.exitCode = 64;
} else {
  const nowS = (): number => Math.floor(Date.now() / 1_000);
  const log = (line: string): void => {
    console.log(`${new Date().toISOString()} ${line}`);
  };
  const witness = await startWitness({ name, folder, logs, host: values.host, port, nowS, log });
  console.log(`witness at ${witness.url}, verifier key ${witness.verifierKey}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void witness.stop());
}
