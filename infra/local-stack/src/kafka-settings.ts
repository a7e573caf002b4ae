type Settings = Readonly<Record<string, string | number | boolean>>;

/** Which node of how many; the controllers of all of them vote. */
export interface ClusterMember {
  readonly nodeId: number;
  /** `host:port` of every node's controller; node ids count from 1 */
  readonly controllers: readonly string[];
}

/** Pure: one node that is broker and controller, alone or as a member of a cluster. Addresses are `host:port`. */
export function brokerSettings(o: {
  broker: string;
  advertised: string;
  controller: string;
  controllerBind: string;
  logFolder: string;
  member?: ClusterMember;
  /** A second way in, whose clients are told to come back to the address advertised here: a proxy's. */
  proxied?: { listens: string; advertised: string };
}): Settings {
  const member = o.member ?? { nodeId: 1, controllers: [o.controller] };
  const listeners = [`PLAINTEXT://${o.broker}`, `CONTROLLER://${o.controllerBind}`];
  const advertised = [`PLAINTEXT://${o.advertised}`];
  if (o.proxied !== undefined) {
    listeners.push(`PROXIED://${o.proxied.listens}`);
    advertised.push(`PROXIED://${o.proxied.advertised}`);
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': member.nodeId,
    'controller.quorum.voters': member.controllers.map((address, at) => `${at + 1}@${address}`).join(','),
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    'log.dirs': o.logFolder,
    // A killed broker is back for producers and consumers within 3 s of its restart (defaults: 12 and 21 s).
    'broker.session.timeout.ms': 1500,
    'broker.heartbeat.interval.ms': 300,
    // Topics come from infra/kafka/topics.yaml only.
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    ...replication(member.controllers.length),
    'group.initial.rebalance.delay.ms': 0,
    // Sizes for a laptop: the defaults reserve 128 MB for the cleaner and 20 MB of index per partition.
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.index.size.max.bytes': 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
}

/** Kafka's own topics, and what a topic gets that does not say: every node has a copy, all but one must be in step. */
function replication(nodes: number): Settings {
  const inStep = Math.max(1, nodes - 1);
  return {
    'default.replication.factor': nodes,
    'min.insync.replicas': inStep,
    'offsets.topic.replication.factor': nodes,
    'transaction.state.log.replication.factor': nodes,
    'transaction.state.log.min.isr': inStep,
    'share.coordinator.state.topic.replication.factor': nodes,
    'share.coordinator.state.topic.min.isr': inStep,
    'unclean.leader.election.enable': false,
  };
}

/** Pure: as a server.properties file. */
export function asProperties(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Pure: as the environment of the apache/kafka image, which maps `.` to `_` behind the prefix `KAFKA_`. */
export function asEnvironment(settings: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
      String(value),
    ]),
  );
}
