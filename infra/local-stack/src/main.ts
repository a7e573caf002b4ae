/**
 * A stack by hand: `node infra/local-stack/dist/main.js [dataDir] [kafkaPort] [mongoPort]`. Prints what to export, stays
 * up until Ctrl-C (or SIGTERM).
 */
import { startLocalStack } from './local-stack.ts';
import { LocalStackError } from './local-stack-error.ts';

const [dataDir = '.assent/local-stack', kafkaPort = '0', mongoPort = '0'] = process.argv.slice(2);
const print = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

try {
  const stack = await startLocalStack({
    dataDir,
    kafkaPort: Number(kafkaPort),
    mongoPort: Number(mongoPort),
    log: print,
  });
  process.stdout.write(`export KAFKA_BROKERS='${stack.kafka.brokers}'\nexport MONGODB_URI='${stack.mongo.uri}'\n`);
  print(`local stack: Kafka (${stack.kafka.provider}), MongoDB (${stack.mongo.provider}); Ctrl-C stops it`);
  const keepAlive = setInterval(() => undefined, 60_000);
  const stop = (): void => {
    clearInterval(keepAlive);
    void stack.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  print(error instanceof LocalStackError ? error.message : String(error));
  process.exitCode = 1;
}
