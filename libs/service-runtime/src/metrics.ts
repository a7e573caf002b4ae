import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Upper bounds of request durations, seconds: from an answer out of memory to the worst that a timeout allows. */
const DURATION_BUCKETS_S = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry with the process's default metrics, every one labelled with the service. */
export function createMetricsRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Durations of HTTP requests by route template: a bounded set of labels, without anything of the caller. */
export class HttpMetrics {
  readonly #duration: Histogram<'method' | 'route' | 'status'>;

  constructor(registry: Registry) {
    this.#duration = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS_S,
      registers: [registry],
    });
  }

  observe(method: string, route: string, status: number, durationS: number): void {
    this.#duration.observe({ method, route, status: String(status) }, durationS);
  }
}

/** What `/metrics` asks of the consumer. */
export interface ConsumerFacts {
  /** Records behind, by `topic/partition`. */
  lag: () => Promise<ReadonlyMap<string, number>>;
  /** The state of each owned partition: `consuming`, `retrying`, `stopped`, … */
  states: () => readonly string[];
}

/** How far the consumers are behind and in what state their partitions are, read when `/metrics` is. */
export function measureConsumer(registry: Registry, { lag, states }: ConsumerFacts): void {
  new Gauge({
    name: 'projection_lag_events',
    help: 'Records between the lowest checkpoint and the end of the partition, for the partitions this process owns.',
    labelNames: ['partition'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const [partition, events] of await lag()) this.set({ partition }, events);
    },
  });
  new Gauge({
    name: 'consumer_partitions',
    help: 'Owned partitions by state; a stopped one needs a person.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const state of states()) this.inc({ state });
    },
  });
}
