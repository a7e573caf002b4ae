type Settings = Readonly<Record<string, string | number | boolean>>;

/** Pure: one node that is broker and controller. Addresses are `host:port`. */
export function brokerSettings(o: {
  broker: string;
  advertised: string;
  controller: string;
  controllerBind: string;
  logFolder: string;
}): Settings {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${o.controller}`,
    listeners: `PLAINTEXT://${o.broker},CONTROLLER://${o.controllerBind}`,
    'advertised.listeners': `PLAINTEXT://${o.advertised}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': o.logFolder,
    // A killed broker is back for producers and consumers within 3 s of its restart (defaults: 12 and 21 s).
    'broker.session.timeout.ms': 1500,
    'broker.heartbeat.interval.ms': 300,
    // Topics come from infra/kafka/topics.yaml only.
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Sizes for a laptop: the defaults reserve 128 MB for the cleaner and 20 MB of index per partition.
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.index.size.max.bytes': 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
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
