import { DEFAULT_RULE_SET, DEMO_RULE_SET } from './rule-sets.ts';
import { cap, contentRule, earlierRuleSet, everyDay, hours } from './send-question.fixture.ts';
import { validateRuleSet } from './validate-rules.ts';

const ruleSet = (changes: object) => ({ ...structuredClone(DEFAULT_RULE_SET), ...changes });
const withRules = (...rules: object[]) => ruleSet({ rules });
const onMonday = (monday: unknown) => withRules({ ...hours({}), weekdays: { monday } });
const signed = (ruleId: string, on = '2026-11-24') =>
  ruleSet({ signedOff: [{ ruleId, by: 'counsel', on, reason: 'read' }] });
const faultsOf = (value: unknown) => {
  const validation = validateRuleSet(value, 'acme.json');
  return validation.ok ? [] : validation.faults;
};

describe('a rule set', () => {
  it.each([DEFAULT_RULE_SET, DEMO_RULE_SET])('of the library is valid: $id', (set) => {
    expect(validateRuleSet(JSON.parse(JSON.stringify(set)))).toEqual({ ok: true, ruleSet: set });
  });

  it('may have several windows a day, up to the end of the day, and sign off what is in shadow', () => {
    const windows = [
      ['00:00', '06:30'],
      ['06:30', '24:00'],
    ];
    expect(faultsOf(onMonday(windows))).toEqual([]);
    expect(faultsOf(signed('de-hours'))).toEqual([]);
  });

  it.each([
    ['nothing', undefined, ''],
    ['a list', [], ''],
    ['no version', ruleSet({ version: undefined }), ''],
    ['a version that is text', ruleSet({ version: '1' }), '/version'],
    ['version 0', ruleSet({ version: 0 }), '/version'],
    ['an unknown property', ruleSet({ extra: 1 }), ''],
    ['the shape of before', { ...ruleSet({}), windows: [] }, ''],
    ['an id with spaces', ruleSet({ id: 'my rules' }), '/id'],
    ['an instant without a zone', ruleSet({ effectiveFrom: '2026-01-01T00:00:00' }), '/effectiveFrom'],
    ['an instant that does not exist', ruleSet({ effectiveFrom: '2026-02-30T00:00:00Z' }), '/effectiveFrom'],
    ['an unknown base', ruleSet({ base: 'assent@999' }), '/base'],
    ['a base that every object has', ruleSet({ base: 'constructor' }), '/base'],
    ['a sign-off of an unknown rule', signed('de-dreams'), '/signedOff/0/ruleId'],
    ['a sign-off of an active rule', signed('us-federal-hours'), '/signedOff/0/ruleId'],
    ['a sign-off on a day that does not exist', signed('de-hours', '2026-02-30'), '/signedOff/0/on'],
    ['the id of a shipped rule', withRules(cap({ id: 'us-federal-hours' })), '/rules/0/id'],
    ['the same rule id twice', withRules(cap(), cap()), '/rules/1/id'],
    ['a rule without a source', withRules({ ...cap(), sources: [] }), '/rules/0/sources'],
    ['an unknown kind', withRules({ ...cap(), kind: 'wish' }), '/rules/0/kind'],
    ['an unknown property of a rule', withRules({ ...cap(), monthsMax: 3 }), '/rules/0'],
    ['a negative cap', withRules({ ...cap(), attemptsMax: -1 }), '/rules/0/attemptsMax'],
    [
      'a cap of a longer window than attempts are kept',
      withRules({ ...cap(), windowHours: 745 }),
      '/rules/0/windowHours',
    ],
    ['an unknown jurisdiction', withRules(cap({ jurisdiction: 'ZZ' })), '/rules/0/jurisdiction'],
    ['a jurisdiction in small letters', withRules(cap({ jurisdiction: 'us' })), '/rules/0/jurisdiction'],
    ['an unknown zone', withRules(everyDay([['08:00', '20:00']], { zone: 'Mars/Olympus' })), '/rules/0/zone'],
    [
      'an end before the start',
      withRules(cap({ appliesFrom: '2026-02-01', appliesUntil: '2026-02-01' })),
      '/rules/0/appliesUntil',
    ],
    ['a date that does not exist', withRules(cap({ appliesFrom: '2026-02-30' })), '/rules/0/appliesFrom'],
    ['a label that nothing asks for', withRules(contentRule({ label: 'Ad' })), '/rules/0/label'],
    ['a label that is missing', withRules(contentRule({ requires: 'advertising-label' })), '/rules/0/label'],
    ['an unknown weekday', withRules({ ...hours({}), weekdays: { someday: [] } }), '/rules/0/weekdays'],
    ['a time that does not exist', onMonday([['08:00', '25:00']]), '/rules/0/weekdays/monday/0/1'],
    ['hours that begin at 24:00', onMonday([['24:00', '24:00']]), '/rules/0/weekdays/monday/0/0'],
    ['hours with one end', onMonday([['08:00']]), '/rules/0/weekdays/monday/0'],
    ['hours without length', onMonday([['08:00', '08:00']]), '/rules/0/weekdays/monday/0'],
    ['hours over midnight', onMonday([['20:00', '08:00']]), '/rules/0/weekdays/monday/0'],
    [
      'hours that overlap',
      onMonday([
        ['08:00', '12:00'],
        ['11:00', '13:00'],
      ]),
      '/rules/0/weekdays/monday/1',
    ],
    [
      'hours in the wrong order',
      onMonday([
        ['11:00', '13:00'],
        ['08:00', '10:00'],
      ]),
      '/rules/0/weekdays/monday/1',
    ],
    [
      'more rules than one decision takes',
      withRules(...Array.from({ length: 201 }, (_, index) => cap({ id: `cap-${index}` }))),
      '/rules',
    ],
    ['an exemption for messages', ruleSet({ exempt: [{ class: 'message' }] }), '/exempt/0/class'],
  ])('is refused for %s, with file, path and reason', (_, value, path) => {
    expect(faultsOf(value)).toContainEqual({ file: 'acme.json', path, message: expect.stringMatching(/\w/) as string });
  });

  it('of the shape before is read as hours for everybody, and its faults are told where they stand', () => {
    const validation = validateRuleSet(earlierRuleSet);
    expect(validation).toMatchObject({
      ok: true,
      ruleSet: { id: 'old', version: 3, base: 'none', rules: [{ id: 'evenings', jurisdiction: '*', kind: 'windows' }] },
    });
    const broken = { ...earlierRuleSet, windows: [{ id: 'a', weekdays: { monday: [['08:00', '25:00']] } }] };
    expect(faultsOf(broken)[0]).toMatchObject({ file: 'acme.json', path: '/windows/0/weekdays/monday/0/1' });
    const both = { ...earlierRuleSet, windows: [{ ...earlierRuleSet.windows[0], jurisdiction: 'US' }] };
    expect(faultsOf(both).length).toBeGreaterThan(0);
    expect(faultsOf({ ...earlierRuleSet, windows: [] })[0]).toMatchObject({ path: '/windows' });
    expect(faultsOf({ ...earlierRuleSet, windows: ['always'] })[0]).toMatchObject({ path: '/windows/0' });
  });

  it('is told at most fifty faults', () => {
    const rules = Array.from({ length: 100 }, (_, index) => ({ ...cap({ id: `cap-${index}` }), attemptsMax: -1 }));
    expect(faultsOf(withRules(...rules))).toHaveLength(50);
  });
});
