import type { LogRecord } from '@assent/contracts';
import type { RecordBatch } from '@assent/event-log';
import { Registry } from 'prom-client';
import { OptOutPropagation } from './opt-out-propagation.ts';

const P0 = { topic: 'consent.events', partition: 0 };
const BEGAN_MS = 1_000_000;

function recordOf(offset: number, timestampMs: number, type = 'consent.withdrawn.v1'): LogRecord {
  const headers = [{ name: 'ce_type', value: new TextEncoder().encode(type) }];
  return { ...P0, offset, timestampMs, key: null, headers, value: null };
}

const batchOf = (...records: LogRecord[]): RecordBatch => ({
  ...P0,
  records,
  epoch: 1,
  heartbeat: () => Promise.resolve(),
  isCurrent: () => true,
});

/** A process that took the partition at BEGAN_MS, when its read model had applied everything below `applied`. */
async function consuming({ applied }: { applied: number }) {
  const registry = new Registry();
  const clock = {
    ms: BEGAN_MS,
    now() {
      return this.ms;
    },
  };
  const readModels = { next: () => Promise.resolve(new Map([['consent.events/0', applied]])) };
  const propagation = new OptOutPropagation({ registry, clock, readModels });
  expect(await propagation.take([P0])).toEqual(new Map());
  const seconds = async () => {
    const [metric] = await registry.getMetricsAsJSON();
    const valueOf = (name: string) => metric?.values.find((v) => 'metricName' in v && v.metricName === name)?.value;
    return {
      count: valueOf('optout_propagation_seconds_count') ?? 0,
      sum: valueOf('optout_propagation_seconds_sum') ?? 0,
    };
  };
  return { propagation, clock, seconds };
}

describe('how long withdrawals take to reach a read model', () => {
  it('is the time from the log to the applied batch, of withdrawals only', async () => {
    const { propagation, clock, seconds } = await consuming({ applied: 4 });
    clock.ms = BEGAN_MS + 5_000;
    await propagation.apply(
      batchOf(
        recordOf(4, BEGAN_MS + 3_000),
        recordOf(5, BEGAN_MS + 4_500),
        recordOf(6, BEGAN_MS + 4_500, 'consent.granted.v1'),
      ),
    );
    expect(await seconds()).toEqual({ count: 2, sum: 2.5 });
  });

  it('is nothing for what was recorded before this process consumed, as in a catch-up or a rebuild', async () => {
    const { propagation, seconds } = await consuming({ applied: 0 });
    await propagation.apply(batchOf(recordOf(0, BEGAN_MS - 1)));
    expect(await seconds()).toEqual({ count: 0, sum: 0 });
  });

  it('counts a withdrawal once, whoever applied it and however often it comes', async () => {
    const { propagation, clock, seconds } = await consuming({ applied: 4 });
    clock.ms = BEGAN_MS + 2_000;
    const batch = batchOf(recordOf(3, BEGAN_MS + 1_000), recordOf(4, BEGAN_MS + 1_000));
    await propagation.apply(batch);
    await propagation.apply(batch);
    expect(await seconds()).toEqual({ count: 1, sum: 1 });
  });

  it('goes on when the partition is taken again, with the wait of what came meanwhile', async () => {
    const { propagation, clock, seconds } = await consuming({ applied: 4 });
    clock.ms = BEGAN_MS + 9_000;
    await propagation.take([P0]);
    await propagation.apply(batchOf(recordOf(4, BEGAN_MS + 1_000)));
    expect(await seconds()).toEqual({ count: 1, sum: 8 });
  });

  it('is 0 when the broker’s clock is ahead', async () => {
    const { propagation, seconds } = await consuming({ applied: 0 });
    await propagation.apply(batchOf(recordOf(0, BEGAN_MS + 50)));
    expect(await seconds()).toEqual({ count: 1, sum: 0 });
  });
});
