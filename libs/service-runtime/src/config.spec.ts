import { createHash } from 'node:crypto';
import { IsInt, IsString, Max, MinLength } from 'class-validator';
import { ConfigError, Env, loadConfig } from './config.ts';
import { RuntimeConfig } from './runtime-config.ts';

class ToyConfig extends RuntimeConfig {
  @Env({ help: 'the port to listen on', default: '4000', as: 'integer' })
  override PORT!: number;

  @Env({ help: 'the secret of the app', local: 'local-app-secret' })
  @IsString()
  @MinLength(8)
  APP_SECRET!: string;

  @Env({ help: 'a number below ten', default: '3', as: 'integer' })
  @IsInt()
  @Max(10)
  SMALL!: number;

  @Env({ help: 'true or false', default: 'false', as: 'boolean' })
  FLAG!: boolean;
}

const tokens = (token: string, extra = {}): string =>
  JSON.stringify([
    {
      sha256: createHash('sha256').update(token).digest('hex'),
      tenant: 'acme',
      roles: ['sender'],
      actor: 'team-a',
      ...extra,
    },
  ]);

const production = {
  NODE_ENV: 'production',
  KAFKA_BROKERS: 'kafka-1:9092, kafka-2:9092',
  MONGODB_URI: 'mongodb://u:hunter2@mongo:27017',
  APP_SECRET: 'a-real-app-secret',
  ASSENT_TOKENS: tokens('a-long-random-token'),
};

function faultsOf(env: Record<string, string | undefined>): ConfigError {
  try {
    loadConfig(ToyConfig, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('the configuration of a service', () => {
  it('has local defaults outside production and reads every kind of value', () => {
    const config = loadConfig(ToyConfig, { SMALL: '7', FLAG: 'true', KAFKA_BROKERS: 'a:1,b:2', PORT: '' });
    expect(config).toBeInstanceOf(ToyConfig);
    expect(config).toMatchObject({
      NODE_ENV: 'development',
      PORT: 4000,
      SMALL: 7,
      FLAG: true,
      KAFKA_BROKERS: ['a:1', 'b:2'],
      APP_SECRET: 'local-app-secret',
    });
    expect(config.ASSENT_TOKENS).toHaveLength(7);
  });

  it('is accepted in production when nothing local is left in it', () => {
    expect(loadConfig(ToyConfig, production)).toMatchObject({ KAFKA_BROKERS: ['kafka-1:9092', 'kafka-2:9092'] });
  });

  it('lists every fault at once, each with what to set', () => {
    const error = faultsOf({
      SMALL: 'eleven',
      PORT: '70000',
      KAFKA_BROKERS: 'nowhere',
      LOG_LEVEL: 'loud',
      APP_SECRET: 'short',
    });
    expect(error.faults.map((fault) => fault.variable).sort()).toEqual([
      'APP_SECRET',
      'KAFKA_BROKERS',
      'LOG_LEVEL',
      'PORT',
      'SMALL',
    ]);
    expect(error.message).toMatch(/^5 settings are wrong:\n/);
    expect(error.message).toMatch(/^ {2}SMALL is wrong \(.*\); set it to a number below ten$/m);
  });

  it('refuses in production a missing setting, a local value and a local token, and says so for each', () => {
    const error = faultsOf({
      ...production,
      MONGODB_URI: undefined,
      APP_SECRET: 'local-app-secret',
      ASSENT_TOKENS: tokens('local-sender'),
    });
    expect(error.faults.map(({ variable, problem }) => `${variable} ${problem}`)).toEqual([
      'MONGODB_URI is not set',
      'APP_SECRET still has the value for local use, which is refused in production',
      'ASSENT_TOKENS is wrong (holds a token for local use, which is refused in production)',
    ]);
  });

  it.each(['{"not":"a list"}', 'not json', '[1]', tokens('x', { roles: ['king'] }), tokens('x', { sha256: 'plain' })])(
    'refuses tokens that are not a list of entries: %.30s',
    (value) => {
      expect(faultsOf({ ASSENT_TOKENS: value }).faults.map((fault) => fault.variable)).toEqual(['ASSENT_TOKENS']);
    },
  );

  it('never prints a value', () => {
    const error = faultsOf({
      ...production,
      MONGODB_URI: 'hunter2-is-the-password',
      APP_SECRET: 'hunter2',
      ASSENT_TOKENS: '["hunter2"]',
      SMALL: 'hunter2',
    });
    expect(error.faults).toHaveLength(4);
    expect(JSON.stringify(error.faults) + error.message).not.toContain('hunter2');
  });
});
