/**
 * Changes every figure of every rule file, one at a time, and asks whether a test would notice: the vectors (what the
 * engine answers) or the list of figures (what the files say). `npm run mutate -w @assent/send-rules` prints how many
 * each caught and every change that nobody noticed; the process ends with code 1 when there is one.
 *
 * The package is compiled into a cache folder with the mutants in place of the shipped rules, and asked in this process.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const MINUTES_PER_DAY = 1_440;
/** As far as a bound is moved: the step in which laws write hours. */
const STEP_MIN = 30;

const packageFolder = new URL('../', import.meta.url);
const cache = new URL('../../../node_modules/.cache/send-rules-mutants/', import.meta.url);
const files = readdirSync(new URL('rules/', packageFolder))
  .filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
  .map((name) => JSON.parse(readFileSync(new URL(`rules/${name}`, packageFolder), 'utf8')));
const mutants = files.flatMap((file) =>
  file.rules.flatMap((rule) =>
    mutationsOf(rule).map(([change, mutated, day]) => ({ file, rule, change, mutated, day })),
  ),
);

compile();
const started = performance.now();
globalThis[Symbol.for('send-rules-mutants')] = {
  'assent@1': files,
  ...Object.fromEntries(mutants.map((mutant, index) => [`mutant@${index}`, filesOf(mutant)])),
};
const load = (name) => import(new URL(name, cache).href);
const { evaluate } = await load('evaluate.js');
const { locateRecipient } = await load('locate-recipient.js');
const checks = await load('vector-checks.fixture.js');
const { SEND_WINDOW_VECTORS } = await load('send-window-vectors.fixture.js');
const { CAP_VECTORS, CONSENT_VECTORS } = await load('cap-and-consent-vectors.fixture.js');
const { SHIPPED_RULE_LINES } = await load('shipped-rules-vectors.fixture.js');
const figures = new Set(SHIPPED_RULE_LINES.split('\n'));

const asked = [
  // Where no instant is open, a figure more or less changes nothing.
  ...SEND_WINDOW_VECTORS.filter(({ week }) => week !== undefined).map((vector) => [vector, checks.windowFailures]),
  ...CAP_VECTORS.map((vector) => [vector, checks.capFailures]),
  ...CONSENT_VECTORS.map((vector) => [vector, checks.consentFailures]),
].map(([vector, failuresOf]) => ({ vector, failuresOf, jurisdictions: locateRecipient(vector).jurisdictions }));
const failsOn = (base, day) => {
  const ruleSetOf = checks.ruleSetsOn(base);
  return ({ vector, failuresOf }) => !failuresOf(vector, evaluate, ruleSetOf, day)[Symbol.iterator]().next().done;
};
const figuresHold = files.flatMap(({ rules }) => rules).every((rule) => figures.has(checks.lineOf(rule)));
if (!figuresHold || asked.some(failsOn('assent@1'))) {
  console.error('the rules as they are fail their own tests; run the unit tests of libs/send-rules first');
  process.exit(1);
}

const survivors = [];
let byVectors = 0;
mutants.forEach(({ rule, change, mutated, day }, index) => {
  const noticing = asked.filter((one) => concerns(rule, one)).find(failsOn(`mutant@${index}`, day));
  if (noticing !== undefined) {
    byVectors += 1;
    // What noticed one change of a rule is likely to notice the next.
    asked.unshift(...asked.splice(asked.indexOf(noticing), 1));
  } else if (process.argv.includes('--verbose')) console.log(`no vector notices: ${rule.id}: ${change}`);
  if (noticing === undefined && figures.has(checks.lineOf(mutated))) survivors.push(`${rule.id}: ${change}`);
});
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${mutants.length} changes of ${files.length} files in ${seconds} s: ${byVectors} noticed by vectors, ${mutants.length - byVectors - survivors.length} more by the list of figures, ${survivors.length} by nothing`,
);
for (const survivor of survivors) console.log(`  nobody notices: ${survivor}`);
if (survivors.length > 0) process.exitCode = 1;

/** Each `[what changes, the rule with it, the weekday when only one changes]`; changes that make a rule invalid are left to the validator's tests. */
function mutationsOf(rule) {
  const frame = frameMutations(rule);
  switch (rule.kind) {
    case 'windows':
      return [
        ...frame,
        ...DAYS.flatMap((day, index) => dayMutations(rule, day).map((mutation) => [...mutation, index])),
        ...holidayMutations(rule),
      ];
    case 'cap':
      return [
        ...frame,
        ...numberMutations(rule, 'attemptsMax'),
        ...numberMutations(rule, 'windowHours'),
        perMutation(rule),
      ];
    case 'consent-life': {
      const others = ['grant', 'last-use', 'last-act'].filter((from) => from !== rule.countsFrom);
      const from = others.map((countsFrom) => [`${rule.countsFrom} → ${countsFrom}`, { ...rule, countsFrom }]);
      return [...frame, ...numberMutations(rule, 'monthsMax'), ...from];
    }
    default:
      return frame;
  }
}

function frameMutations(rule) {
  const flipped = rule.status === 'active' ? 'shadow' : 'active';
  const { appliesFrom, zone, ...plain } = rule;
  return [
    [`${rule.status} → ${flipped}`, { ...rule, status: flipped }],
    ...(appliesFrom === undefined
      ? []
      : [
          [`from ${appliesFrom} → always`, zone === undefined ? plain : { ...plain, zone }],
          [`from ${appliesFrom} → a day later`, { ...rule, appliesFrom: dayAfter(appliesFrom) }],
        ]),
    ...(zone === undefined
      ? []
      : [[`clock of ${zone} → the person's`, { ...plain, ...(appliesFrom && { appliesFrom }) }]]),
  ];
}

function dayAfter(date) {
  return new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
}

function numberMutations(rule, name) {
  const values = [rule[name] - 1, rule[name] + 1].filter((value) => value > 0);
  return values.map((value) => [`${name} ${rule[name]} → ${value}`, { ...rule, [name]: value }]);
}

function perMutation(rule) {
  const per = rule.per.includes('purpose') ? [] : ['purpose'];
  return [`per ${rule.per.join()} → ${per.join()}`, { ...rule, per }];
}

function dayMutations(rule, day) {
  const windows = rule.weekdays[day];
  const { [day]: _, ...others } = rule.weekdays;
  if (windows === undefined) {
    return [[`${day} closed → 10:00-17:00`, { ...rule, weekdays: { ...others, [day]: [['10:00', '17:00']] } }]];
  }
  const moved = movedWindows(windows).map(([change, mutated]) => [
    `${day} ${change}`,
    { ...rule, weekdays: { ...others, [day]: mutated } },
  ]);
  return [...moved, [`${day} → closed`, { ...rule, weekdays: others }]];
}

function movedWindows(windows) {
  return windows.flatMap((window, index) =>
    [0, 1].flatMap((side) =>
      [-STEP_MIN, STEP_MIN].flatMap((step) => {
        const moved = window.with(side, timeOf(minutesOf(window[side]) + step));
        const mutated = windows.with(index, moved);
        const isValid = mutated.every(
          ([from, to], at) => from < to && to <= '24:00' && from >= (mutated[at - 1]?.[1] ?? '00:00'),
        );
        return isValid ? [[`${window.join('-')} → ${moved.join('-')}`, mutated]] : [];
      }),
    ),
  );
}

function holidayMutations(rule) {
  const policies = ['as-weekday', 'as-sunday', 'closed'].filter((policy) => policy !== rule.holidays);
  const eves = movedWindows(rule.holidayEves ?? []).map(([change, holidayEves]) => [
    `eves ${change}`,
    { ...rule, holidayEves },
  ]);
  const { openedBy, holidayEves: _, ...plain } = rule;
  return [
    ...policies.map((holidays) => [`holidays ${rule.holidays} → ${holidays}`, { ...rule, holidays }]),
    ...eves,
    ...(eves.length === 0 ? [] : [['no eves', openedBy === undefined ? plain : { ...plain, openedBy }]]),
    ...['night', 'slot']
      .filter((by) => by !== openedBy)
      .map((by) => [`opened by ${openedBy ?? 'nothing'} → ${by}`, { ...rule, openedBy: by }]),
  ];
}

function minutesOf(time) {
  const [hours, minutes] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Before midnight and after 24:00 it is a text that no window may have. */
function timeOf(minutes) {
  if (minutes < 0 || minutes > MINUTES_PER_DAY) return minutes < 0 ? '-' : '99:99';
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function filesOf({ file, rule, mutated }) {
  const rules = file.rules.map((one) => (one === rule ? mutated : one));
  return files.map((one) => (one === file ? { ...file, rules } : one));
}

/** Whether a vector can tell: its person may be where the rule holds, and it signs the rule off when it is in shadow. */
function concerns({ id, jurisdiction, status }, { vector, jurisdictions }) {
  const holdsThere =
    jurisdiction === '*' ||
    jurisdiction === 'default' ||
    jurisdictions.includes(jurisdiction) ||
    jurisdictions.some((one) => one.startsWith(`${jurisdiction}-`) || jurisdiction.startsWith(`${one}-`));
  return holdsThere && (status === 'active' || (vector.signedOff ?? []).includes(id));
}

function compile() {
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const swc = fileURLToPath(new URL('../../../node_modules/.bin/swc', import.meta.url));
  const options = ['--config-file', '../../.swcrc', '--strip-leading-paths', '--quiet'];
  execFileSync(swc, ['src', '--out-dir', fileURLToPath(cache), ...options], { cwd: packageFolder, stdio: 'inherit' });
  writeFileSync(new URL('package.json', cache), '{ "type": "module" }\n');
  const bases = "globalThis[Symbol.for('send-rules-mutants')]";
  const module = `export const SHIPPED_RULES_LATEST = 'assent@1';\nexport const SHIPPED_RULES = ${bases};\n`;
  writeFileSync(new URL('shipped-rules.js', cache), module);
}
