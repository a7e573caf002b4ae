import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** jest loads this file outside its own resolver, so the package is taken as built. */
const built = join(import.meta.dirname, 'infra', 'local-stack', 'dist', 'index.js');

/**
 * One stack for all integration tests of a run: free ports, a data folder of its own, so that it can run beside a demo.
 * Workers inherit the environment set here. jest.global-teardown.ts ends what this began; when the run is cut short, the
 * exit of this process does.
 */
export default async function startStack(): Promise<void> {
  if (!existsSync(built)) {
    execFileSync('npm', ['run', 'build', '--workspace', '@assent/local-stack'], { stdio: 'inherit' });
  }
  const { startLocalStack } = await import('@assent/local-stack');
  const dataDir = mkdtempSync(join(tmpdir(), 'assent-int-'));
  const stack = await startLocalStack({ dataDir, log: (line) => process.stderr.write(`${line}\n`) });
  process.env['KAFKA_BROKERS'] = stack.kafka.brokers;
  process.env['MONGODB_URI'] = stack.mongo.uri;
  const removeData = (): void => {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', () => {
    for (const pid of [stack.kafka.pid, stack.mongo.pid]) {
      if (pid !== undefined) {
        process.kill(pid, 'SIGKILL');
      }
    }
    removeData();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(1));
  }
  Object.assign(globalThis, {
    stopAssentStack: async () => {
      await stack.stop();
      removeData();
    },
  });
}
