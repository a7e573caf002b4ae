/** A good jurisdiction file, small enough to spoil. */
export const GOOD_RULE_FILE = {
  jurisdiction: 'NL',
  name: 'Netherlands',
  rules: [
    {
      id: 'nl-hours',
      jurisdiction: 'NL',
      channel: 'voice',
      status: 'active',
      kind: 'windows',
      weekdays: { monday: [['09:00', '20:00']], saturday: [['10:00', '16:00']] },
      holidays: 'closed',
      sources: [{ kind: 'official', reference: 'a law' }],
      verifiedOn: '2026-11-21',
      confidence: 'high',
    },
    {
      id: 'nl-cap-24h',
      jurisdiction: 'NL',
      channel: 'voice',
      status: 'active',
      kind: 'cap',
      attemptsMax: 2,
      windowHours: 24,
      per: ['purpose'],
      sources: [{ kind: 'own', reference: 'a choice' }],
      verifiedOn: '2026-11-21',
      confidence: 'high',
    },
    {
      id: 'nl-consent-life',
      jurisdiction: 'NL',
      channel: 'any-electronic',
      status: 'shadow',
      kind: 'consent-life',
      basis: 'express',
      countsFrom: 'grant',
      monthsMax: 24,
      sources: [{ kind: 'vendor', reference: 'a page' }],
      verifiedOn: '2026-11-21',
      confidence: 'low',
    },
  ],
  changelog: [{ date: '2026-11-24', change: 'First version.' }],
} as const;

type GoodRule = (typeof GOOD_RULE_FILE)['rules'][number];

/** A file as somebody may upload it, the JSON pointer of its fault and what the message has to say. */
export interface BadRuleFile {
  readonly fault: string;
  readonly file: unknown;
  readonly path: string;
  readonly message: RegExp;
}

const spoiled = (changes: object): unknown => ({ ...GOOD_RULE_FILE, ...changes });
const without = (rule: GoodRule, property: string): object =>
  Object.fromEntries(Object.entries(rule).filter(([key]) => key !== property));
const [HOURS, CAP, LIFE] = GOOD_RULE_FILE.rules;
const hours = (changes: object): unknown => spoiled({ rules: [{ ...HOURS, ...changes }] });
const onMonday = (...windows: readonly unknown[]): unknown => hours({ weekdays: { monday: windows } });
const cap = (changes: object): unknown => spoiled({ rules: [{ ...CAP, ...changes }] });
const life = (changes: object): unknown => spoiled({ rules: [{ ...LIFE, ...changes }] });

export const BAD_RULE_FILES: readonly BadRuleFile[] = [
  bad('hours that overlap', onMonday(['08:00', '12:00'], ['11:00', '13:00']), '/rules/0/weekdays/monday/1', /before/),
  bad('hours out of order', onMonday(['14:00', '15:00'], ['08:00', '09:00']), '/rules/0/weekdays/monday/1', /before/),
  bad('25:00', onMonday(['08:00', '25:00']), '/rules/0/weekdays/monday/0/1', /pattern/),
  bad('24:30', onMonday(['08:00', '24:30']), '/rules/0/weekdays/monday/0/1', /pattern/),
  bad('hours that begin at 24:00', onMonday(['24:00', '24:00']), '/rules/0/weekdays/monday/0/0', /pattern/),
  bad('an end before its start', onMonday(['20:00', '08:00']), '/rules/0/weekdays/monday/0', /ends at 08:00/),
  bad('hours without length', onMonday(['08:00', '08:00']), '/rules/0/weekdays/monday/0', /ends at 08:00/),
  bad('hours with one end', onMonday(['08:00']), '/rules/0/weekdays/monday/0', /fewer than 2/),
  bad('a time in words', onMonday(['eight', '20:00']), '/rules/0/weekdays/monday/0/0', /pattern/),
  bad('an unknown weekday', hours({ weekdays: { someday: [] } }), '/rules/0/weekdays', /someday/),
  bad('no weekdays', spoiled({ rules: [without(HOURS, 'weekdays')] }), '/rules/0', /weekdays/),
  bad('holidays of no known kind', hours({ holidays: 'sometimes' }), '/rules/0/holidays', /./),
  bad(
    'holiday hours that overlap',
    hours({
      holidays: [
        ['08:00', '12:00'],
        ['11:00', '13:00'],
      ],
    }),
    '/rules/0/holidays/1',
    /before/,
  ),
  bad(
    'hours of eves that end before they start',
    hours({ holidayEves: [['19:00', '10:00']] }),
    '/rules/0/holidayEves/0',
    /ends/,
  ),
  bad('an unknown time zone', hours({ zone: 'Europe/Atlantis' }), '/rules/0/zone', /Europe\/Atlantis/),
  bad('an unknown country', spoiled({ jurisdiction: 'XX' }), '/jurisdiction', /XX/),
  bad('a rule of an unknown country', hours({ jurisdiction: 'XX' }), '/rules/0/jurisdiction', /XX/),
  bad('a rule of another country', hours({ jurisdiction: 'BE' }), '/rules/0/jurisdiction', /does not belong/),
  bad('a territory that does not exist', spoiled({ covers: ['XX'] }), '/covers/0', /XX/),
  bad('no source', spoiled({ rules: [without(HOURS, 'sources')] }), '/rules/0', /sources/),
  bad('an empty list of sources', hours({ sources: [] }), '/rules/0/sources', /fewer than 1/),
  bad(
    'a source of no known kind',
    hours({ sources: [{ kind: 'hearsay', reference: 'a friend' }] }),
    '/rules/0/sources/0/kind',
    /./,
  ),
  bad(
    'a source that names nothing',
    hours({ sources: [{ kind: 'legal', reference: '' }] }),
    '/rules/0/sources/0/reference',
    /./,
  ),
  bad(
    'an active rule on vendors alone',
    hours({ sources: [{ kind: 'vendor', reference: 'a page' }] }),
    '/rules/0/status',
    /shadow/,
  ),
  bad(
    'an active rule on news alone',
    hours({ sources: [{ kind: 'news', reference: 'a paper' }] }),
    '/rules/0/status',
    /shadow/,
  ),
  bad('an unknown kind of rule', hours({ kind: 'horoscope' }), '/rules/0/kind', /./),
  bad('an unknown status', hours({ status: 'maybe' }), '/rules/0/status', /./),
  bad('a negative cap', cap({ attemptsMax: -1 }), '/rules/0/attemptsMax', /./),
  bad('a cap that is no whole number', cap({ attemptsMax: 1.5 }), '/rules/0/attemptsMax', /integer/),
  bad('a cap over no time', cap({ windowHours: 0 }), '/rules/0/windowHours', /./),
  bad('a cap per something unknown', cap({ per: ['phase of the moon'] }), '/rules/0/per/0', /./),
  bad('a negative life', life({ monthsMax: -24 }), '/rules/0/monthsMax', /./),
  bad('a life that counts from nothing known', life({ countsFrom: 'birth' }), '/rules/0/countsFrom', /./),
  bad(
    'an end before its beginning',
    hours({ appliesFrom: '2027-01-01', appliesUntil: '2026-01-01' }),
    '/rules/0/appliesUntil',
    /before/,
  ),
  bad('a date that does not exist', hours({ appliesFrom: '2026-02-30' }), '/rules/0/appliesFrom', /2026-02-30/),
  bad('a check on a date that does not exist', hours({ verifiedOn: '2026-13-01' }), '/rules/0/verifiedOn', /./),
  bad('an id used twice', spoiled({ rules: [HOURS, HOURS] }), '/rules/1/id', /twice/),
  bad('an id with spaces', hours({ id: 'nl hours' }), '/rules/0/id', /pattern/),
  bad('a property that nobody reads', hours({ hours: '9-20' }), '/rules/0', /hours/),
  bad('no changelog', spoiled({ changelog: [] }), '/changelog', /fewer than 1/),
  bad('a list', [], '', /object/),
];

function bad(fault: string, file: unknown, path: string, message: RegExp): BadRuleFile {
  return { fault, file, path, message };
}
