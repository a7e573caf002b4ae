import type { SimulatorOptions } from './simulator.ts';

/** Lists every fault of the environment at once; values are not repeated, they may be secrets. */
export class SimulatorConfigError extends Error {
  override readonly name = 'SimulatorConfigError';
  readonly code = 'invalid-configuration';
  constructor(readonly faults: readonly string[]) {
    super(`invalid configuration:\n- ${faults.join('\n- ')}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the process's settings (see README.md). Throws `SimulatorConfigError`. */
export function loadSimulatorConfig(env: Environment): SimulatorOptions {
  const faults: string[] = [];
  const numbers = {
    port: integer(env, 'PORT', 0, 65_535, faults),
    statusDelayMs: integer(env, 'STATUS_DELAY_MS', 0, 60_000, faults),
    throughputPerSecond: integer(env, 'THROUGHPUT_PER_SECOND', 1, 1_000_000, faults),
    webhookBatchMax: integer(env, 'WEBHOOK_BATCH_MAX', 1, 1_000, faults),
    webhookBatchWindowMs: integer(env, 'WEBHOOK_BATCH_WINDOW_MS', 0, 60_000, faults),
    webhookInFlightMax: integer(env, 'WEBHOOK_IN_FLIGHT_MAX', 1, 256, faults),
  };
  const choices = {
    unknownRecipients: oneOf(env, 'UNKNOWN_RECIPIENTS', ['undeliverable', 'refuse', 'create'], faults),
    stopErrorIn: oneOf(env, 'STOP_ERROR_IN', ['status', 'reply'], faults),
    acceptAnyTemplate: oneOf(env, 'ACCEPT_ANY_TEMPLATE', ['true', 'false'], faults),
  };
  const webhookUrl = given(env, 'WEBHOOK_URL');
  if (webhookUrl !== undefined && !/^https?:\/\//.test(webhookUrl)) faults.push('WEBHOOK_URL has to be an http(s) URL');
  if (faults.length > 0) throw new SimulatorConfigError(faults);
  return {
    ...withoutUndefined({
      ...numbers,
      ...choices,
      acceptAnyTemplate: choices.acceptAnyTemplate === undefined ? undefined : choices.acceptAnyTemplate === 'true',
      host: given(env, 'HOST'),
      webhookUrl,
      accessToken: given(env, 'WHATSAPP_ACCESS_TOKEN'),
      callLogFile: given(env, 'CALL_LOG'),
    }),
    port: numbers.port ?? 4010,
    appSecret: given(env, 'WHATSAPP_APP_SECRET') ?? 'local-app-secret',
    verifyToken: given(env, 'WHATSAPP_VERIFY_TOKEN') ?? 'local-verify-token',
  };
}

const given = (env: Environment, name: string): string | undefined => env[name] || undefined;

function integer(env: Environment, name: string, min: number, max: number, faults: string[]): number | undefined {
  const text = given(env, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  faults.push(`${name} has to be a whole number from ${min} to ${max}`);
  return undefined;
}

function oneOf<T extends string>(
  env: Environment,
  name: string,
  values: readonly T[],
  faults: string[],
): T | undefined {
  const text = given(env, name);
  if (text === undefined) return undefined;
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) faults.push(`${name} has to be one of ${values.join(', ')}`);
  return value;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
function withoutUndefined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
