import { initialConsentState } from '@assent/consent-state';
import type { TopicPartition } from '@assent/event-log';
import type { LogEnds } from '@assent/projection';
import type { Connection } from 'mongoose';
import { recipientFold, type RecipientDocument } from '../recipients/recipient.projection.ts';
import type { DispatchWish } from './gate.facts.ts';
import { GateReader } from './gate-reader.ts';

const tenant = 'acme';
const subjectId = '11111111-1111-4111-8111-111111111111';
const at = Date.parse('2026-11-24T12:00:00.000Z');

const wish: DispatchWish = {
  dispatchId: '33333333-3333-4333-8333-333333333333',
  class: 'message',
  cause: { kind: 'request', id: '22222222-2222-4222-8222-222222222222' },
  purposeId: 'news',
  category: 'marketing',
  senderId: '100000000000001',
  template: { name: 'offer', language: 'en' },
  parameterCount: 0,
  schedule: { kind: 'now' },
  expiresAt: at + 86_400_000,
};

const known = (...addressKeys: string[]): RecipientDocument => ({
  _id: subjectId,
  tenant,
  consent: initialConsentState,
  addresses: addressKeys.map((addressKey) => ({ addressKey, kind: 'phone', sealedAddress: 'sealed' })),
  requests: [],
  withdrawals: [],
});

/** Two partitions a topic; keys that end in an odd digit live in partition 1. */
const log = { partitionCount: () => 2, partitionFor: (_: string, key: string) => Number(/[13579]$/.test(key)) };

/** A gate over a store that holds nothing but the person, as `found` one look after the other; the last look stays. */
function gateOver(...found: readonly (RecipientDocument | undefined)[]) {
  const looks = [...found];
  const steps: string[] = [];
  const reached: { partitions: readonly string[]; ends: LogEnds | undefined }[] = [];
  const nothing = (collection: string) => ({
    findOne: () => {
      steps.push(`read ${collection}`);
      return Promise.resolve(null);
    },
    find: () => ({ toArray: () => Promise.resolve([]) }),
  });
  const reader = new GateReader({
    db: { collection: nothing } as unknown as Connection,
    log,
    barrier: {
      reach: (partitions: readonly TopicPartition[], { ends }: { ends?: LogEnds }) => {
        const names = partitions.map(({ topic, partition }) => `${topic}/${String(partition)}`);
        reached.push({ partitions: names, ends });
        steps.push('barrier');
        return Promise.resolve({ reached: {}, behind: [], waitedMs: 0 });
      },
    },
    projector: {
      parked: () => Promise.resolve([]),
      parkedAmong: async () => {
        await Promise.resolve();
        steps.push('parked');
        return [];
      },
    },
    recipients: {
      byId: () => {
        steps.push(`read ${recipientFold.collection}`);
        return Promise.resolve(looks.length > 1 ? looks.shift() : looks[0]);
      },
      lookupKeysOf: () => [],
    },
  });
  return { reader, steps, reached };
}

describe('a gate that reads its facts', () => {
  it('looks at what is parked before it reads what the person said, and at both behind the barrier', async () => {
    const { reader, steps } = gateOver(known('a2'));
    await reader.read(wish, { tenant, subjectId }, at);
    const [first, ...rest] = steps;
    expect(first).toBe('read recipients');
    expect(rest.slice(0, 2)).toEqual(['barrier', 'parked']);
    expect(rest.slice(2)).toEqual(expect.arrayContaining(['read recipients', 'read held_senders']));
  });

  it('waits for every partition that the person and the rules live in', async () => {
    const { reader, reached } = gateOver(known('a2', 'a3'));
    await reader.read(wish, { tenant, subjectId }, at);
    expect(reached.map(({ partitions }) => [...partitions].sort())).toEqual([
      [
        'consent.catalog/0',
        'consent.catalog/1',
        'consent.events/1',
        'dispatch.events/1',
        'dispatch.policy/0',
        'dispatch.policy/1',
        'suppression.events/0',
        'suppression.events/1',
      ],
    ]);
  });

  it('waits again when the person has another address by then, and is behind when that goes on', async () => {
    const settled = gateOver(known('a2'), known('a3'));
    expect((await settled.reader.read(wish, { tenant, subjectId }, at)).facts.behind).toEqual([]);
    expect(settled.reached.map(({ partitions }) => partitions.find((name) => name.startsWith('suppression')))).toEqual([
      'suppression.events/0',
      'suppression.events/1',
    ]);
    const moving = gateOver(known('a2'), known('a3'), known('a4'));
    const { facts } = await moving.reader.read(wish, { tenant, subjectId }, at);
    expect(facts.behind).toContain('consent.events/1');
  });

  it('waits for the ends its caller asked for, and takes the person as found there', async () => {
    const ends = new Map([['consent.events/1', 7]]);
    const { reader, reached, steps } = gateOver(known('a2'));
    await reader.read(wish, { tenant, subjectId }, at, { ends, document: known('a2') });
    expect(reached.map((call) => call.ends)).toEqual([ends]);
    expect(steps[0]).toBe('barrier');
  });

  it('names for its callers every partition that anybody can live in', () => {
    const names = gateOver(undefined)
      .reader.partitions()
      .map(({ topic, partition }) => `${topic}/${String(partition)}`);
    expect(names).toHaveLength(10);
    expect(names).toEqual(expect.arrayContaining(['suppression.events/0', 'dispatch.events/1', 'consent.catalog/1']));
  });
});
