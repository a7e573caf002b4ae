import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTopicDeclaration, provisionTopics, verifyTopics } from '@assent/event-log';
import { EXIT } from '../command-error.ts';
import { REPOSITORY } from '../start-platform/platform-processes.ts';
import { runningPlatform } from '../start-platform/platform-state.ts';

const LOCAL_BROKERS = '127.0.0.1:9092';

/**
 * `./assent provision-topics`: creates the declared topics that are missing, on the brokers of KAFKA_BROKERS, else of the
 * platform that is up, else on the usual local port; for the environment that NODE_ENV says, as the services do. May run
 * again at any time; what exists is compared and never changed.
 */
export async function provisionDeclaredTopics(): Promise<number> {
  const brokers = (process.env['KAFKA_BROKERS'] ?? runningPlatform()?.kafka?.brokers ?? LOCAL_BROKERS).split(',');
  const environment = process.env['NODE_ENV'] === 'production' ? 'production' : 'local';
  const file = process.env['ASSENT_TOPICS_FILE'] ?? join(REPOSITORY, 'infra', 'kafka', 'topics.yaml');
  const declaration = loadTopicDeclaration(readFileSync(file, 'utf8'), environment);
  const settings = { brokers, clientId: 'assent-cli' };
  const created = await provisionTopics(settings, declaration);
  await verifyTopics(settings, declaration);
  for (const { name, partitions } of declaration) {
    console.log(`${created.includes(name) ? 'created' : 'exists '}  ${name}, ${partitions} partitions`);
  }
  return EXIT.ok;
}
