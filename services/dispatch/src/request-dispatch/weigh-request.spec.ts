import type { LogEnds } from '@assent/projection';
import { DEFAULT_RULE_SET } from '@assent/send-rules';
import type { Connection } from 'mongoose';
import type { KnownBefore } from '../gate/gate-reader.ts';
import { SealedFields } from '../sealed-fields/sealed-fields.ts';
import type { DispatchRequest } from './dispatch-request.ts';
import { WeighRequest } from './weigh-request.ts';

const now = Date.parse('2026-11-24T12:00:00.000Z');
const consentEvents = { topic: 'consent.events', partition: 0 };
const everything = [consentEvents, { topic: 'dispatch.events', partition: 0 }];

const request: DispatchRequest = {
  recipient: { phone: '+12015550100' },
  purposeId: 'news',
  senderId: '100000000000001',
  template: { name: 'offer', language: 'en' },
  parameters: [],
  schedule: { kind: 'now' },
};

/** Weighs over logs whose ends are asked for as `steps` tell, and of whom nobody is known. */
function weighing(behind: readonly string[] = []) {
  const ends = new Map([['consent.events/0', 7]]);
  const steps: unknown[] = [];
  const weigh = new WeighRequest({
    db: { collection: () => ({ findOne: () => Promise.resolve(null) }) } as unknown as Connection,
    barrier: {
      ends: (partitions) => {
        steps.push(['ends', partitions]);
        return Promise.resolve(ends);
      },
      reach: (partitions, limits: { ends?: LogEnds }) => {
        steps.push(['reach', partitions, limits.ends]);
        return Promise.resolve({ reached: {}, behind, waitedMs: 0 });
      },
    },
    gate: {
      partitions: () => everything,
      read: (wish, _recipient, at, known?: KnownBefore) => {
        steps.push(['gate', known]);
        const facts = { at, wish, ruleSet: DEFAULT_RULE_SET, holidays: [], blackouts: [], behind: [], parked: [] };
        return Promise.resolve({ facts, reached: {} });
      },
    },
    recipients: {
      partitionsOf: () => [consentEvents],
      find: () => {
        steps.push(['find']);
        return Promise.resolve(undefined);
      },
      addressKeyOf: () => 'p1.key',
    },
    sealed: new SealedFields(new Map()),
    clock: { now: () => now, monotonicMs: () => 0 },
    versions: { phoneMetadata: '1', tzdb: '1', holidays: '1' },
  });
  return { weigh, ends, steps };
}

const ids = ['33333333-3333-4333-8333-333333333333', '22222222-2222-4222-8222-222222222222'] as const;

describe('a request that is weighed', () => {
  it('is about the instant it came: the ends are asked for once, before anything is read', async () => {
    const { weigh, ends, steps } = weighing();
    await weigh.execute('acme', ...ids, request);
    expect(steps).toEqual([
      ['ends', everything],
      ['reach', [consentEvents], ends],
      ['find'],
      ['gate', { ends, document: undefined }],
    ]);
  });

  it('is held, not refused, when nobody is found while a log is behind', async () => {
    expect((await weighing().weigh.execute('acme', ...ids, request)).verdict.verdict).toBe('refuse');
    const { verdict } = await weighing(['consent.events/0']).weigh.execute('acme', ...ids, request);
    expect(verdict).toMatchObject({ verdict: 'hold', reasons: [{ code: 'read-model-behind' }] });
  });
});
