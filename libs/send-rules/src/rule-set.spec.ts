import { DEFAULT_RULE_SET, DEMO_RULE_SET, validateRuleSet } from './rule-set.ts';

const ruleSet = (changes: object) => ({ ...structuredClone(DEFAULT_RULE_SET), ...changes });
const windowsOn = (weekdays: object) => ruleSet({ windows: [{ id: 'rule', weekdays }] });
const faultsOf = (value: unknown) => {
  const validation = validateRuleSet(value);
  return validation.ok ? [] : validation.faults;
};

describe('a rule set', () => {
  it.each([DEFAULT_RULE_SET, DEMO_RULE_SET])('of the library is valid: $id', (set) => {
    expect(validateRuleSet(JSON.parse(JSON.stringify(set)))).toEqual({ ok: true, ruleSet: set });
  });

  it('may have several windows a day, up to the end of the day', () => {
    expect(
      faultsOf(
        windowsOn({
          friday: [
            ['00:00', '06:30'],
            ['06:30', '24:00'],
          ],
        }),
      ),
    ).toEqual([]);
  });

  it.each([
    ['nothing', undefined, ''],
    ['a list', [], ''],
    ['no version', ruleSet({ version: undefined }), ''],
    ['a version that is text', ruleSet({ version: '1' }), '/version'],
    ['version 0', ruleSet({ version: 0 }), '/version'],
    ['an unknown property', ruleSet({ extra: 1 }), ''],
    ['an id with spaces', ruleSet({ id: 'my rules' }), '/id'],
    ['an instant without a zone', ruleSet({ effectiveFrom: '2026-01-01T00:00:00' }), '/effectiveFrom'],
    ['an instant that does not exist', ruleSet({ effectiveFrom: '2026-02-30T00:00:00Z' }), '/effectiveFrom'],
    ['no rule at all', ruleSet({ windows: [] }), '/windows'],
    [
      'the same rule id twice',
      ruleSet({
        windows: [
          { id: 'a', weekdays: {} },
          { id: 'a', weekdays: {} },
        ],
      }),
      '/windows/1/id',
    ],
    ['an unknown weekday', windowsOn({ someday: [] }), '/windows/0/weekdays'],
    ['a time that does not exist', windowsOn({ monday: [['08:00', '25:00']] }), '/windows/0/weekdays/monday/0/1'],
    ['a window that begins at 24:00', windowsOn({ monday: [['24:00', '24:00']] }), '/windows/0/weekdays/monday/0/0'],
    ['a window with one end', windowsOn({ monday: [['08:00']] }), '/windows/0/weekdays/monday/0'],
    ['a window without length', windowsOn({ monday: [['08:00', '08:00']] }), '/windows/0/weekdays/monday/0'],
    ['a window over midnight', windowsOn({ monday: [['20:00', '08:00']] }), '/windows/0/weekdays/monday/0'],
    [
      'windows that overlap',
      windowsOn({
        monday: [
          ['08:00', '12:00'],
          ['11:00', '13:00'],
        ],
      }),
      '/windows/0/weekdays/monday/1',
    ],
    [
      'windows out of order',
      windowsOn({
        monday: [
          ['14:00', '15:00'],
          ['08:00', '09:00'],
        ],
      }),
      '/windows/0/weekdays/monday/1',
    ],
    [
      'an unknown category',
      ruleSet({ windows: [{ id: 'a', weekdays: {}, categories: ['spam'] }] }),
      '/windows/0/categories/0',
    ],
    ['an exempt message', ruleSet({ exempt: [{ class: 'message' }] }), '/exempt/0'],
    ['an exempt opt-in ask that nobody started', ruleSet({ exempt: [{ class: 'opt-in-ask' }] }), '/exempt/0'],
  ])('with %s is refused with the path of the fault', (_, value, path) => {
    expect(faultsOf(value).map((fault) => fault.path)).toContain(path);
  });

  it('lists all its faults at once', () => {
    const paths = faultsOf({ ...windowsOn({ monday: [['8:00', '26:00']] }), id: '', version: 1.5 }).map(
      ({ path }) => path,
    );
    expect(paths).toEqual(
      expect.arrayContaining(['/id', '/version', '/windows/0/weekdays/monday/0/0', '/windows/0/weekdays/monday/0/1']),
    );
  });
});
