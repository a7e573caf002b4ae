import { asEnvironment, asProperties, brokerSettings } from './kafka-settings.ts';

const settings = brokerSettings({
  broker: '127.0.0.1:20001',
  advertised: '127.0.0.1:20001',
  controller: '127.0.0.1:20002',
  controllerBind: '127.0.0.1:20002',
  logFolder: '/data/kafka',
});

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
});
