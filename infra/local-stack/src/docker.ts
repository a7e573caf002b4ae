import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GenericContainer } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import { pickFreePort } from './free-port.ts';
import { KAFKA_IMAGE, MONGO_IMAGE } from './images.ts';
import { clusterAt } from './kafka-probe.ts';
import { asEnvironment, brokerSettings } from './kafka-settings.ts';
import { LocalStackError } from './local-stack-error.ts';
import { repositoryFolder } from './repository.ts';
import { notRestartable } from './running-part.ts';
import type { RunningPart } from './running-part.ts';

const BROKER_PORT = 9092;
const CONTROLLER_PORT = 9093;
const MONGO_PORT = 27017;
/** A first pull of the image may lie before it, so this counts from the container's start. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 200;

/** testcontainers publishes on every interface of the host; the stack is nobody else's business. */
class LoopbackContainer extends GenericContainer {
  protected override beforeContainerCreated(): Promise<void> {
    const bindings = (this.hostConfig.PortBindings ?? {}) as Record<string, { HostPort: string; HostIp?: string }[]>;
    for (const binding of Object.values(bindings).flat()) {
      binding.HostIp = '127.0.0.1';
    }
    return Promise.resolve();
  }
}

/**
 * One broker from Apache's own image. Its host port is chosen beforehand, because a broker must be told at its start
 * which address to advertise. Data ends with the container; testcontainers' reaper ends it with this process.
 */
export async function startKafkaContainer(port: number): Promise<RunningPart<'docker'>> {
  const hostPort = port === 0 ? await pickFreePort() : port;
  const settings = brokerSettings({
    broker: `0.0.0.0:${BROKER_PORT}`,
    advertised: `127.0.0.1:${hostPort}`,
    controller: `localhost:${CONTROLLER_PORT}`,
    controllerBind: `0.0.0.0:${CONTROLLER_PORT}`,
    logFolder: '/var/lib/kafka/data',
  });
  const container = await new LoopbackContainer(KAFKA_IMAGE)
    .withEnvironment(asEnvironment(settings))
    .withExposedPorts({ container: BROKER_PORT, host: hostPort })
    .start();
  await untilReady(container, 'Kafka', async () => (await clusterAt(hostPort))?.nodeIds.length === 1);
  return partOf(container, `127.0.0.1:${hostPort}`);
}

/** A single-node replica set, as transactions and majority writes of a real deployment have one. */
export async function startMongoContainer(port: number): Promise<RunningPart<'docker'>> {
  const hostPort = port === 0 ? await pickFreePort() : port;
  const container = await new LoopbackContainer(MONGO_IMAGE)
    .withCommand(['--replSet', 'rs0', '--bind_ip_all'])
    .withExposedPorts({ container: MONGO_PORT, host: hostPort })
    .start();
  const script = readFileSync(join(repositoryFolder, 'infra', 'mongo', 'replica-set.js'), 'utf8');
  await untilReady(container, 'MongoDB', async () => {
    const { exitCode } = await container.exec(['mongosh', '--quiet', '--eval', script]);
    return exitCode === 0;
  });
  return partOf(container, `mongodb://127.0.0.1:${hostPort}/?directConnection=true`);
}

async function untilReady(container: StartedTestContainer, name: string, ready: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (await ready()) {
      return;
    }
    await sleep(POLL_MS);
  }
  await container.stop();
  throw new LocalStackError('not-ready', `${name} did not answer in its container in time`);
}

function partOf(container: StartedTestContainer, address: string): RunningPart<'docker'> {
  return {
    provider: 'docker',
    address,
    process: undefined,
    restart: notRestartable,
    stop: async () => {
      await container.stop();
    },
  };
}
