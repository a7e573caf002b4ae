import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';

/** How a setting is read from the environment. */
export interface EnvOptions {
  /** For people: what to set, with the form of it. Printed when the setting is missing or wrong. */
  help: string;
  /** The value in every environment when the variable is not set. Without it and without `local` the variable is required. */
  default?: string;
  /** The value outside production. In production the variable is required and this very value is refused. */
  local?: string;
  /** How the text is read; 'text' when left out. 'list' splits at commas, 'json' parses. */
  as?: 'text' | 'integer' | 'boolean' | 'list' | 'json';
}

const SETTINGS = Symbol('settings');

type Settings = ReadonlyMap<string, EnvOptions>;

function settingsOf(target: object): Settings {
  return (Reflect.getMetadata(SETTINGS, target) as Settings | undefined) ?? new Map<string, EnvOptions>();
}

/**
 * Binds a field of a configuration class to the environment variable of the same name. Checks are class-validator's
 * decorators on the same field; a subclass that redeclares a field inherits them.
 */
export function Env(options: EnvOptions): PropertyDecorator {
  return (target, name) => {
    Reflect.defineMetadata(SETTINGS, new Map([...settingsOf(target), [String(name), options]]), target);
  };
}

/** One setting that is wrong. Holds no value of the environment, so that no secret is printed. */
export interface ConfigFault {
  variable: string;
  problem: string;
  help: string;
}

/** The configuration is not usable. Lists every fault, so that one look is enough to mend all of them. */
export class ConfigError extends Error {
  readonly code = 'config-invalid';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, problem, help }) => `  ${variable} ${problem}; set it to ${help}`);
    super(
      `${faults.length === 1 ? 'One setting is' : `${String(faults.length)} settings are`} wrong:\n${lines.join('\n')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

function read(text: string, as: EnvOptions['as']): unknown {
  switch (as) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'json':
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return undefined;
      }
    case 'text':
    case undefined:
      return text;
  }
}

/** The rules that failed, nested ones with their path, without any value. */
function rulesOf(error: ValidationError, path = ''): string[] {
  const own = Object.values(error.constraints ?? {}).map((rule) => (path === '' ? rule : `${path}: ${rule}`));
  const nested = (error.children ?? []).flatMap((child) =>
    rulesOf(child, path === '' ? child.property : `${path}.${child.property}`),
  );
  return [...own, ...nested];
}

/**
 * Makes and checks a configuration object from environment variables.
 *
 * @param configClass class whose fields carry {@link Env} and class-validator decorators
 * @param env the process environment; an empty value counts as not set
 * @throws ConfigError with every fault; it echoes no value
 */
export function loadConfig<C extends object>(
  configClass: new () => C,
  env: Readonly<Record<string, string | undefined>>,
): C {
  const settings = settingsOf(configClass.prototype as object);
  const inProduction = env['NODE_ENV'] === 'production';
  const faults: ConfigFault[] = [];
  const plain: Record<string, unknown> = {};
  for (const [variable, options] of settings) {
    const given = env[variable] === '' ? undefined : env[variable];
    const text = given ?? options.default ?? (inProduction ? undefined : options.local);
    if (text === undefined) {
      faults.push({ variable, problem: 'is not set', help: options.help });
    } else if (inProduction && text === options.local) {
      faults.push({
        variable,
        problem: 'still has the value for local use, which is refused in production',
        help: options.help,
      });
    } else {
      plain[variable] = read(text, options.as);
    }
  }
  const config = plainToInstance(configClass, plain);
  const known = new Set(faults.map((fault) => fault.variable));
  for (const error of validateSync(config, {
    forbidUnknownValues: true,
    validationError: { value: false, target: false },
  })) {
    if (known.has(error.property)) continue;
    const problem = `is wrong (${rulesOf(error).join('; ')})`;
    faults.push({ variable: error.property, problem, help: settings.get(error.property)?.help ?? 'a valid value' });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}
