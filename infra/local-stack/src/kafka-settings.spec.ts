import { asEnvironment, asProperties, brokerSettings } from './kafka-settings.ts';

const addresses = {
  broker: '127.0.0.1:20001',
  advertised: '127.0.0.1:20001',
  controller: '127.0.0.1:20002',
  controllerBind: '127.0.0.1:20002',
  logFolder: '/data/kafka',
};
const settings = brokerSettings(addresses);

describe('the settings of the broker', () => {
  it('listen where they were told to and nowhere else', () => {
    expect(asProperties(settings)).toContain('listeners=PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002\n');
    expect(asProperties(settings)).not.toContain('0.0.0.0');
  });

  it('never create a topic by themselves', () => {
    expect(asProperties(settings)).toContain('auto.create.topics.enable=false\n');
  });

  it('reach a container as its environment', () => {
    expect(asEnvironment(settings)).toMatchObject({
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://127.0.0.1:20001',
      KAFKA_BROKER_SESSION_TIMEOUT_MS: '1500',
      KAFKA_LOG_DIRS: '/data/kafka',
    });
  });

  it('of one of three nodes keep three copies of everything, two of them in step', () => {
    const controllers = ['127.0.0.1:20002', '127.0.0.1:20004', '127.0.0.1:20006'];
    const second = asProperties(brokerSettings({ ...addresses, member: { nodeId: 2, controllers } }));
    expect(second).toContain('node.id=2\n');
    expect(second).toContain('controller.quorum.voters=1@127.0.0.1:20002,2@127.0.0.1:20004,3@127.0.0.1:20006\n');
    for (const setting of ['default', 'offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic']) {
      expect(second).toContain(`${setting}.replication.factor=3\n`);
    }
    expect(second).toContain('\nmin.insync.replicas=2\n');
    expect(second).toContain('unclean.leader.election.enable=false\n');
  });

  it('send who comes through a proxy back to the proxy, and nobody else', () => {
    const proxied = { listens: '127.0.0.1:20003', advertised: '127.0.0.1:19092' };
    const behind = asProperties(brokerSettings({ ...addresses, proxied }));
    expect(behind).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:20001,PROXIED://127.0.0.1:19092\n');
    expect(behind).toContain('PROXIED://127.0.0.1:20003\n');
    expect(asProperties(settings)).not.toContain('PROXIED://');
  });
});
