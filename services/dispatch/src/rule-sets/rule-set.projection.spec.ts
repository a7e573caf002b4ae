import type { EventData, RecordedEvent } from '@assent/contracts';
import { DEMO_RULE_SET } from '@assent/send-rules';
import {
  inForceFrom,
  ruleSetFold,
  ruleSetInForce,
  ruleSetInShadow,
  type RuleSetDocument,
  stageOf,
} from './rule-set.projection.ts';

const monday = '2026-11-23T09:00:00.000Z';
const tuesday = '2026-11-24T09:00:00.000Z';
const wednesday = '2026-11-25T09:00:00.000Z';

type RuleSetEvent = 'rule-set.published.v1' | 'rule-set.signed-off.v1' | 'rule-set.activated.v1';

function told<T extends RuleSetEvent>(type: T, time: string, data: Partial<EventData[T]> = {}): RecordedEvent {
  return { type, tenant: 'acme', time, data: { ruleSetId: 'hours', version: 1, ...data } } as unknown as RecordedEvent;
}

function published(
  version: number,
  data: Partial<EventData['rule-set.published.v1']> = {},
  { at = monday, from = monday }: { at?: string; from?: string } = {},
): RecordedEvent {
  const rules = { ...DEMO_RULE_SET, id: 'hours', version, effectiveFrom: from } as unknown as Record<string, unknown>;
  return told('rule-set.published.v1', at, { version, rules, effectiveFrom: from, publishedBy: 'ada', ...data });
}

function folded(...events: RecordedEvent[]): RuleSetDocument[] {
  const documents = new Map<string, RuleSetDocument>();
  for (const event of events) {
    for (const id of ruleSetFold.idsOf(event)) {
      const after = ruleSetFold.evolve(documents.get(id), event, id);
      if (after !== undefined) documents.set(id, after);
    }
  }
  return [...documents.values()];
}

const names = (documents: RuleSetDocument[], at: string): string[] => [
  `${ruleSetInForce(documents, Date.parse(at)).id}@${ruleSetInForce(documents, Date.parse(at)).version}`,
  String(ruleSetInShadow(documents, Date.parse(at))?.version),
];
const stages = (documents: RuleSetDocument[], at: string): string[] =>
  documents.map((document) => stageOf(document, documents, Date.parse(at)));

describe('a published rule set', () => {
  it('is in force from its effectiveFrom, and the default before', () => {
    const documents = folded(published(1, {}, { from: tuesday }));
    expect(names(documents, monday)[0]).toBe('default@1');
    expect(names(documents, tuesday)[0]).toBe('hours@1');
    expect([stages(documents, monday), stages(documents, tuesday)]).toEqual([['scheduled'], ['in-force']]);
  });

  it('gives way to a later version, and of two at once to the higher one', () => {
    const documents = folded(published(10), published(9), published(11, {}, { from: wednesday }));
    expect(names(documents, tuesday)[0]).toBe('hours@10');
    expect(names(documents, wednesday)[0]).toBe('hours@11');
    expect(stages(documents, wednesday)).toEqual(['superseded', 'superseded', 'in-force']);
  });

  it('is not in force before it was published, whatever it says', () => {
    const documents = folded(published(1), published(2, {}, { at: wednesday, from: '2020-01-01T00:00:00.000Z' }));
    expect([names(documents, tuesday)[0], names(documents, wednesday)[0]]).toEqual(['hours@1', 'hours@2']);
  });

  it('never changes once it is published', () => {
    const [document] = folded(published(1), published(1, { publishedBy: 'eve' }));
    expect(document?.publishedBy).toBe('ada');
  });
});

describe('a rule set in shadow', () => {
  const shadow = published(2, { shadow: true });

  it('decides nothing until it is activated, from then on it does', () => {
    const before = folded(published(1), shadow);
    expect(names(before, wednesday)).toEqual(['hours@1', '2']);
    const activated = told('rule-set.activated.v1', tuesday, {
      version: 2,
      effectiveFrom: wednesday,
      activatedBy: 'ada',
    });
    const after = folded(published(1), shadow, activated);
    expect(names(after, tuesday)).toEqual(['hours@1', '2']);
    expect(names(after, wednesday)).toEqual(['hours@2', 'undefined']);
  });

  it('is one only: the newest, and none below the version in force', () => {
    const third = published(3, { shadow: true }, { at: tuesday });
    expect(names(folded(published(1), shadow, third), wednesday)[1]).toBe('3');
    expect(stages(folded(published(1), shadow, third), wednesday)).toEqual(['in-force', 'set-aside', 'in-shadow']);
    expect(names(folded(shadow, published(4)), wednesday)).toEqual(['hours@4', 'undefined']);
  });
});

describe('a rule set of a tenant that wants a second person', () => {
  const draft = published(1, { secondPerson: true });
  const activated = told('rule-set.activated.v1', tuesday, { effectiveFrom: tuesday, activatedBy: 'ada' });
  const signedBy = (signedOffBy: string): RecordedEvent => told('rule-set.signed-off.v1', tuesday, { signedOffBy });

  it('is not in force without a sign-off, whoever wrote that it is', () => {
    const [document] = folded(draft, activated);
    expect(document).toMatchObject({ shadow: true });
    expect(document === undefined ? 0 : inForceFrom(document)).toBeUndefined();
  });

  it('does not take its publisher’s sign-off for that of a second person', () => {
    expect(names(folded(draft, signedBy('ada'), activated), wednesday)[0]).toBe('default@1');
    expect(names(folded(draft, signedBy('ada'), signedBy('ben'), activated), wednesday)[0]).toBe('hours@1');
  });
});
