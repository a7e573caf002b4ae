import type { GateInputs, RecordedEvent } from '@assent/contracts';
import { shadowTallyFold, type ShadowTallyDocument, sumOfTallies } from './shadow-tally.projection.ts';

const noon = '2026-11-24T12:00:00.000Z';
const later = '2026-11-24T15:00:00.000Z';
type Shadow = NonNullable<GateInputs['shadow']>;

const shadow = (verdict: Shadow['verdict'], change: Partial<Shadow> = {}): Shadow => ({
  ruleSet: 'hours@2',
  verdict,
  code: 'outside-send-window',
  ref: 'hours@2#own',
  ...change,
});

function decided(
  type: 'dispatch.attempt-intended.v1' | 'dispatch.held.v1' | 'dispatch.planned.v1' | 'dispatch.refused.v1',
  gate: { verdict: GateInputs['verdict']; shadow?: Shadow } | undefined,
  { dispatchId = 'd1', partition = 3 }: { dispatchId?: string; partition?: number } = {},
): RecordedEvent {
  const reasons = [{ code: 'cap-reached', text: 'Enough.', ref: 'hours@1#cap' }];
  const data = { dispatchId, reasons, ...(type === 'dispatch.planned.v1' ? { dueAt: later } : {}), gate };
  return {
    type,
    tenant: 'acme',
    time: noon,
    position: { topic: 'dispatch.events', partition, offset: 1 },
    data,
  } as unknown as RecordedEvent;
}

function tallies(...events: RecordedEvent[]): ShadowTallyDocument[] {
  const documents = new Map<string, ShadowTallyDocument>();
  for (const event of events) {
    for (const id of shadowTallyFold.idsOf(event)) {
      const after = shadowTallyFold.evolve(documents.get(id), event, id);
      if (after !== undefined) documents.set(id, after);
    }
  }
  return [...documents.values()];
}

describe('the tally of a version in shadow', () => {
  it('counts what would have been decided otherwise, by the rule of the stricter side', () => {
    const sum = sumOfTallies(
      tallies(
        decided('dispatch.attempt-intended.v1', { verdict: 'allow', shadow: shadow('allow') }),
        decided('dispatch.attempt-intended.v1', { verdict: 'allow', shadow: shadow('hold', { until: later }) }),
        decided('dispatch.held.v1', { verdict: 'hold', shadow: shadow('allow') }, { dispatchId: 'd2', partition: 4 }),
      ),
    );
    expect(sum).toEqual({
      decisions: 3,
      changes: [
        {
          verdict: 'allow',
          would: 'hold',
          code: 'outside-send-window',
          ref: 'hours@2#own',
          decisions: 1,
          samples: ['d1'],
        },
        { verdict: 'hold', would: 'allow', code: 'cap-reached', ref: 'hours@1#cap', decisions: 1, samples: ['d2'] },
      ],
    });
  });

  it('counts a hold until another instant as a difference, and until the same as none', () => {
    const held = (until: string): RecordedEvent =>
      decided('dispatch.planned.v1', { verdict: 'hold', shadow: shadow('hold', { until }) });
    expect(sumOfTallies(tallies(held(later))).changes).toEqual([]);
    expect(sumOfTallies(tallies(held(noon))).changes).toMatchObject([{ verdict: 'hold', would: 'hold', decisions: 1 }]);
  });

  it('is not fed by decisions without a version in shadow, nor by plans without a decision', () => {
    expect(
      tallies(decided('dispatch.held.v1', { verdict: 'hold' }), decided('dispatch.planned.v1', undefined)),
    ).toEqual([]);
  });

  it('names few dispatches and keeps few kinds apart, however many there are', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      decided(
        'dispatch.attempt-intended.v1',
        { verdict: 'allow', shadow: shadow('hold', { ref: `hours@2#r${index}` }) },
        { dispatchId: `d${index}` },
      ),
    );
    const { decisions, changes } = sumOfTallies(tallies(...many));
    expect(decisions).toBe(300);
    expect(changes).toHaveLength(201);
    expect(changes[0]).toMatchObject({ code: 'more-kinds', decisions: 100 });
    expect(changes[0]?.samples).toHaveLength(5);
  });
});
