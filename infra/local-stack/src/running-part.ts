import type { Child, ServiceProcess } from './child-process.ts';
import { isFree, pickFreePort } from './free-port.ts';
import { LocalStackError, portTaken } from './local-stack-error.ts';
import { isNamed } from './prerequisites.ts';

/** Enough for an accident; a machine without free ports is told so soon. */
const PORT_ATTEMPTS_MAX = 5;

/** Kafka or the document store while it is there, whatever provides it. */
export interface RunningPart<Provider extends string> {
  readonly provider: Provider;
  /** `host:port[,…]` for Kafka, a connection string for MongoDB */
  readonly address: string;
  readonly process: ServiceProcess | undefined;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** What the environment names: not ours to stop or to restart. undefined when it names nothing. */
export function namedPart(address: string | undefined): RunningPart<'environment'> | undefined {
  if (!isNamed(address)) {
    return undefined;
  }
  return {
    provider: 'environment',
    address,
    process: undefined,
    restart: notRestartable,
    stop: () => Promise.resolve(),
  };
}

export function notRestartable(): Promise<never> {
  return Promise.reject(new LocalStackError('not-restartable', 'this part was not started by this process'));
}

/** A child of this process that can be killed and started again on the same data and ports. */
export class NativePart<Provider extends string> implements RunningPart<Provider>, ServiceProcess {
  readonly process = this;
  #child: Child;

  private constructor(
    readonly provider: Provider,
    readonly address: string,
    child: Child,
    private readonly start: () => Promise<Child>,
  ) {
    this.#child = child;
  }

  /**
   * `start` is given the port to use. With `port` 0 another free one is tried when somebody else was faster.
   *
   * @throws LocalStackError port-taken, not-ready
   */
  static async launch<P extends string>(o: {
    provider: P;
    /** for messages */
    name: string;
    port: number;
    address: (port: number) => string;
    start: (port: number) => Promise<Child>;
  }): Promise<NativePart<P>> {
    if (o.port !== 0 && !(await isFree(o.port))) {
      throw portTaken(o.name, o.port);
    }
    for (let attempt = 1; ; attempt += 1) {
      const port = o.port === 0 ? await pickFreePort() : o.port;
      try {
        const child = await o.start(port);
        return new NativePart(o.provider, o.address(port), child, () => o.start(port));
      } catch (error) {
        const taken = error instanceof LocalStackError && error.code === 'port-taken';
        if (!taken || o.port !== 0 || attempt >= PORT_ATTEMPTS_MAX) {
          throw error;
        }
      }
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#child.kill(signal);
  }

  async restart(): Promise<void> {
    await this.#child.kill('SIGKILL');
    this.#child = await this.start();
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
