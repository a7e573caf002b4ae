import { DEFAULT_RULE_SET, DEMO_RULE_SET, type RuleSet, type WindowsRule } from '@assent/send-rules';
import { CommandError } from '../command-error.ts';
import { diffLines } from './diff-rules.ts';
import { type AskedSend, explainSend } from './explain-send.ts';
import { explanationLines, painter } from './explanation-lines.ts';
import { ruleSetFrom } from './rule-set-source.ts';
import { runRules } from './run-rules.ts';

const PLAIN = painter(false);

const asked = (change: Partial<AskedSend> = {}): AskedSend => ({
  recipient: { phone: '+12125550100' },
  at: Date.parse('2026-11-24T17:00:00Z'),
  purposeId: 'news',
  category: 'marketing',
  ruleSet: DEMO_RULE_SET,
  ...change,
});
const lines = (change: Partial<AskedSend> = {}): string[] => explanationLines(explainSend(asked(change)), PLAIN);

/** Two windows on Tuesdays, one of which begins at a quarter past. */
function tuesdays(id: string): RuleSet {
  const [rule] = DEMO_RULE_SET.rules as readonly WindowsRule[];
  if (rule === undefined) throw new Error('the demo has a rule');
  const weekdays = { tuesday: [['09:15', '12:00'] as const, ['13:00', '16:00'] as const] };
  return { ...DEMO_RULE_SET, id, rules: [{ ...rule, weekdays }] };
}

async function run(...args: string[]): Promise<string> {
  let text = '';
  const now = (): number => Date.parse('2026-11-24T17:00:00Z');
  await runRules(args, { stdout: (more) => (text += more), isColoured: false, now });
  return text;
}

describe('an explanation of the rules for one number', () => {
  it('says where the person may be, the answer, and the week in local hours', () => {
    const text = lines({ ruleSet: tuesdays('two') });
    expect(text).toContain('Zones:   America/New_York (from: area-code)');
    expect(text).toContain('Places:  US-NY (from: area-code)');
    expect(text.join(' ')).toMatch(
      /held; everything allows it from 2026-11-24T18:00Z on \(2026-11-24 13:00\s+in America\/New_York\)/,
    );
    expect(text).toContain('Tue 24 Nov  ··················▌█████··██████················');
    expect(text).toContain('Wed 25 Nov  ················································');
  });

  it('draws the day on which clocks are set by what the clock shows', () => {
    const week = lines({ at: Date.parse('2027-03-14T12:00:00Z') });
    expect(week).toContain('Sun 14 Mar  ················██████████████████████████······');
    const { verdict, opensAt } = explainSend(asked({ at: Date.parse('2027-03-14T06:30:00Z') }));
    expect([verdict.verdict, opensAt]).toEqual(['hold', '2027-03-14 08:00']);
  });

  it('names the holiday of a day that is closed for it, and each rule with its sources', () => {
    const text = lines({
      ruleSet: DEFAULT_RULE_SET,
      recipient: { phone: '+447700900123' },
      at: Date.parse('2026-12-21T10:00Z'),
    });
    expect(text.find((line) => line.startsWith('Fri 25 Dec'))).toContain('Christmas');
    expect(text.join('\n')).toMatch(/default@1#[a-z-]+\n {4}(own|official|legal): /);
  });

  it('says that a person has to look where nothing is known', () => {
    const text = lines({ recipient: {} });
    expect(text).toContain('Zones:   not known (from: unknown)');
    expect(text).toContain('Answer:  held until a person has looked; the reasons say at what');
  });

  it.each([
    ['a number of one zone', {}],
    ['a number that may be anywhere in 25 countries', { recipient: { phone: '+18005550100' } }],
    ['everything that is shipped', { recipient: { phone: '+447700900123' }, ruleSet: DEFAULT_RULE_SET }],
  ])('is at most 80 columns wide and without colours where none are wanted: %s', (_, change) => {
    const text = lines(change);
    expect(text.filter((line) => line.length > 80)).toEqual([]);
    expect(text.join('')).not.toContain('\u001b');
    expect(explanationLines(explainSend(asked(change)), painter(true)).join('')).toContain('\u001b[32m');
  });
});

describe('./assent rules', () => {
  it('answers with JSON when asked to', async () => {
    const answer = JSON.parse(
      await run('explain', '--phone', '+12125550100', '--rule-set', 'demo', '--json'),
    ) as object;
    expect(answer).toMatchObject({
      question: { at: '2026-11-24T17:00:00.000Z', ruleSet: 'demo@1' },
      verdict: 'allow',
      until: '2026-11-25T02:00:00.000Z',
      location: { zones: ['America/New_York'] },
      week: [{ date: '2026-11-24' }, {}, {}, {}, {}, {}, {}],
    });
  });

  it.each([
    [['explain'], 'Say whom it is about'],
    [['explain', '--phone', '0800 1'], '--phone takes a number'],
    [['explain', '--zone', 'Mars/Olympus'], 'no time zone Mars/Olympus'],
    [['explain', '--region', 'Florida'], '--region takes'],
    [['explain', '--zone', 'UTC', '--at', '2026-11-24'], '--at takes an instant'],
    [['explain', '--zone', 'UTC', '--at', '2026-02-31T10:00Z'], '--at takes an instant'],
    [['explain', '--zone', 'UTC', '--at', '9999-12-31T23:59:59Z'], '--at takes an instant'],
    [['explain', '--zone', 'UTC', '--at', '+123456-01-01T00:00:00Z'], '--at takes an instant'],
    [['explain', '--zone', 'UTC', '--category', 'spam'], '--category takes'],
    [['explain', '--zone', 'UTC', '--rule-set', 'nowhere.json'], 'no rule set nowhere.json'],
    [['explain', '--speed', '9'], 'Usage:'],
    [['diff', 'demo'], 'Usage:'],
    [['shout'], 'Usage:'],
  ])('says what is wrong with %j', async (args, words) => {
    const failed = await run(...args).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CommandError);
    expect((failed as CommandError).message).toContain(words);
  });
});

describe('a rule-set file', () => {
  it('is refused with its name, the path and the reason of every fault', () => {
    const text = JSON.stringify({ ...DEMO_RULE_SET, base: 'assent@99', version: 0 });
    expect(() => ruleSetFrom('mine.json', text)).toThrow(/mine\.json \/version: /);
    expect(() => ruleSetFrom('mine.json', '{')).toThrow(/mine\.json is no JSON/);
  });
});

describe('the difference of two rule sets', () => {
  it('is none of a set and itself', async () => {
    expect(await run('diff', 'demo', 'demo')).toBe('Both have the same rules.\n');
  });

  it('is named rule by rule, windows as people write them', () => {
    expect(diffLines(DEMO_RULE_SET, tuesdays('two'))).toContain(
      '    weekdays.tuesday: 08:00-21:00 → 09:15-12:00, 13:00-16:00',
    );
    expect(diffLines(DEMO_RULE_SET, tuesdays('two'))).toContain('    weekdays.monday: 08:00-21:00 → nothing');
  });

  it('names what was added, taken away and signed off', () => {
    const waiting = 'us-ok-hours';
    const signedOff = [{ ruleId: waiting, by: 'counsel', on: '2026-11-24', reason: 'read the statute' }];
    const text = diffLines(DEFAULT_RULE_SET, { ...DEFAULT_RULE_SET, signedOff, rules: DEMO_RULE_SET.rules });
    expect(text).toEqual([
      '+ every-day-8-to-21 (*, windows)',
      `~ ${waiting} (US-OK, windows, signed-off)`,
      '    status: shadow → signed-off',
    ]);
  });
});
