import { CAP_VECTORS, CONSENT_VECTORS } from './cap-and-consent-vectors.fixture.ts';
import { evaluate } from './evaluate.ts';
import { WEEKDAYS } from './rule.ts';
import { SEND_WINDOW_VECTORS } from './send-window-vectors.fixture.ts';
import { SHIPPED_RULE_LINES } from './shipped-rules-vectors.fixture.ts';
import { SHIPPED_RULES, SHIPPED_RULES_LATEST } from './shipped-rules.ts';
import { capFailures, consentFailures, lineOf, ruleSetsOn, windowFailures } from './vector-checks.fixture.ts';

const ruleSetOf = ruleSetsOn(SHIPPED_RULES_LATEST);
const files = SHIPPED_RULES[SHIPPED_RULES_LATEST] ?? [];

describe('a message under the shipped rules', () => {
  it.each(SEND_WINDOW_VECTORS)('leaves when $rests lets it: $place', (vector) => {
    expect([...windowFailures(vector, evaluate, ruleSetOf)]).toEqual([]);
  });

  it.each(CAP_VECTORS)('is capped by $rests: $phone at $at, $expect', (vector) => {
    expect([...capFailures(vector, evaluate, ruleSetOf)]).toEqual([]);
  });

  it.each(CONSENT_VECTORS)('rests on consent as $rests: $phone, $expect', (vector) => {
    expect([...consentFailures(vector, evaluate, ruleSetOf)]).toEqual([]);
  });

  it('is tried for 60 numbers in 25 countries on five instants each', () => {
    expect(new Set(SEND_WINDOW_VECTORS.map(({ phone }) => phone)).size).toBeGreaterThanOrEqual(60);
    expect(new Set(SEND_WINDOW_VECTORS.map(({ country }) => country)).size).toBeGreaterThanOrEqual(25);
    expect(SEND_WINDOW_VECTORS.filter(({ expect: instants }) => instants.length < 5)).toEqual([]);
  });
});

describe('the shipped rules', () => {
  const rules = files.flatMap((file) => file.rules);

  it('have the figures that were read from the sources', () => {
    const expected = SHIPPED_RULE_LINES.split('\n').filter((line) => line !== '');
    expect(rules.map(lineOf).sort()).toEqual(expected.sort());
  });

  it.each(rules)(
    'are in force without a sign-off only where an official, legal or own source carries them: $id',
    (rule) => {
      const carried = rule.sources.some(({ kind }) => kind === 'official' || kind === 'legal' || kind === 'own');
      expect(rule.status === 'shadow' || carried).toBe(true);
    },
  );

  it.each(rules.filter((rule) => rule.kind === 'windows').filter(({ status }) => status === 'shadow'))(
    'leave the default narrower than $id, in whose place it holds',
    ({ weekdays }) => {
      for (const weekday of WEEKDAYS.slice(0, 5)) {
        expect(weekdays[weekday]?.some(([from, to]) => from <= '10:00' && to >= '17:00')).toBe(true);
      }
    },
  );

  it('in shadow are all signed off by some vector', () => {
    const signedOff = new Set(
      [...SEND_WINDOW_VECTORS, ...CAP_VECTORS, ...CONSENT_VECTORS].flatMap((vector) => vector.signedOff ?? []),
    );
    const without = rules.filter(({ status, id }) => status === 'shadow' && !signedOff.has(id)).map(({ id }) => id);
    expect(without).toEqual([]);
  });
});
