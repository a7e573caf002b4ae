import { environmentOf, LOCAL_PORTS, PROCESSES } from './platform-processes.ts';

const plan = { ports: LOCAL_PORTS, brokers: 'broker:1', mongoUri: 'mongodb://store:2', folder: '/data' };

describe('the environment of a process of the local platform', () => {
  it.each(PROCESSES)('of %s takes nothing from the person’s own but what is listed', (name) => {
    const outer = { PATH: '/bin', NODE_ENV: 'production', ASSENT_TOKENS: '[]', KAFKA_BROKERS: 'other:9', PORT: '1' };
    const environment = environmentOf(name, plan, outer);
    expect(environment).toMatchObject({ PATH: '/bin', NODE_ENV: 'development', PORT: String(LOCAL_PORTS[name]) });
    expect(environment).not.toHaveProperty('ASSENT_TOKENS');
    expect(Object.values(environment)).not.toContain('other:9');
  });

  it('tells the processes where the others are', () => {
    expect(environmentOf('dispatch', plan, {})).toMatchObject({
      KAFKA_BROKERS: 'broker:1',
      MONGODB_URI: 'mongodb://store:2',
      CONSENT_INTERNAL_URL: 'http://127.0.0.1:4001',
      WHATSAPP_API_URL: 'http://127.0.0.1:4010',
    });
    expect(environmentOf('simulator', plan, {})['WEBHOOK_URL']).toBe('http://127.0.0.1:4001/webhooks/whatsapp');
  });
});
