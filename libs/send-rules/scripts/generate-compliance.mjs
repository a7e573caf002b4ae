/**
 * Writes the tables of docs/compliance.md, between its two marks, from rules/*.json. `npm run generate -w
 * @assent/send-rules`; with `--check` it only compares and ends with code 1 when they differ.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const BEGIN =
  '<!-- rules: made by libs/send-rules/scripts/generate-compliance.mjs -->\n<!-- prettier-ignore-start -->\n';
const END = '<!-- prettier-ignore-end -->\n';
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const SOURCE_KINDS = { official: 'P', legal: 'L', news: 'N', vendor: 'V', background: 'K', own: 'own' };
const HOLIDAYS = { 'as-weekday': 'as on any day', 'as-sunday': 'as on a Sunday', closed: 'nothing' };
const WEEKLY_REST = /-weekly-rest$/;

const document = new URL('../../../docs/compliance.md', import.meta.url);
const folder = new URL('../rules/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))
  .sort((a, b) => rankOf(a) - rankOf(b) || a.name.localeCompare(b.name, 'en'));

const before = readFileSync(document, 'utf8');
const start = before.indexOf(BEGIN);
const end = before.indexOf(END, start);
if (start < 0 || end < 0) throw new Error('docs/compliance.md has lost the marks between which its tables stand');
const after = before.slice(0, start + BEGIN.length) + tables() + before.slice(end);
if (!process.argv.includes('--check')) writeFileSync(document, after);
else if (after !== before) {
  console.error('docs/compliance.md is not what rules/*.json says; run npm run generate -w @assent/send-rules');
  process.exitCode = 1;
}

/** What holds everywhere comes first. */
function rankOf(file) {
  return file.jurisdiction === 'default' ? 0 : 1;
}

function tables() {
  const rules = files.flatMap((file) => file.rules);
  const shadow = rules.filter(({ status }) => status === 'shadow').length;
  const sections = files
    .map((file) => ({ file, rows: file.rules.filter(({ id }) => !WEEKLY_REST.test(id)) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ file, rows }) => `### ${file.name}\n\n${table(rows)}`);
  return [
    `\n${rules.length} rules in ${files.length} files: ${rules.length - shadow} in force, ${shadow} in shadow.\n`,
    ...sections,
    weeklyRest(),
    '',
  ].join('\n');
}

function table(rules) {
  const head =
    '| rule | what it says | state | rests on | confidence | read on | counsel: check |\n|---|---|---|---|---|---|---|';
  const rows = rules.map((rule) =>
    [
      `\`${rule.id}\``,
      figuresOf(rule) + datesOf(rule),
      rule.status === 'shadow' ? '**shadow**' : 'in force',
      rule.sources.map(({ kind, reference }) => `[${SOURCE_KINDS[kind]}] ${reference}`).join('; '),
      rule.confidence,
      rule.verifiedOn,
      rule.note ?? '',
    ].map((cell) => cell.replaceAll('|', '\\|')),
  );
  return `${head}\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function figuresOf(rule) {
  switch (rule.kind) {
    case 'windows': {
      const holidays = typeof rule.holidays === 'string' ? HOLIDAYS[rule.holidays] : hours(rule.holidays);
      const eves = rule.holidayEves === undefined ? '' : `; eves of holidays ${hours(rule.holidayEves)}`;
      const opened = rule.openedBy === undefined ? '' : `; other hours with consent for a ${rule.openedBy}`;
      const clock = rule.zone === undefined ? '' : ` by the clock of ${rule.zone}`;
      return `${week(rule.weekdays)}${clock}; holidays ${holidays}${eves}${opened}`;
    }
    case 'cap': {
      const per = rule.per.length === 0 ? ', all purposes together' : ` per ${rule.per.join(' and ')}`;
      return `at most ${rule.attemptsMax} in ${rule.windowHours} hours${per}`;
    }
    case 'consent-life':
      return `${rule.basis.replace('-', ' by ')} consent: ${rule.monthsMax} months from the ${rule.countsFrom.replace('-', ' ')}`;
    case 'content':
      return rule.label === undefined ? rule.requires.replaceAll('-', ' ') : `begins with ${rule.label}`;
    default:
      throw new Error(`${rule.id}: no words for a rule of kind ${rule.kind}`);
  }
}

function datesOf({ appliesFrom, appliesUntil }) {
  return (appliesFrom ? `; since ${appliesFrom}` : '') + (appliesUntil ? `; until before ${appliesUntil}` : '');
}

function hours(windows) {
  return windows.map(([from, to]) => `${from} to ${to}`).join(' and ');
}

function week(weekdays) {
  const parts = [];
  DAYS.forEach((day, index) => {
    const open = hours(weekdays[day] ?? []);
    const last = parts.at(-1);
    if (last?.last === index - 1 && last.open === open) last.last = index;
    else if (open !== '') parts.push({ first: index, last: index, open });
  });
  const name = (index) => DAYS[index][0].toUpperCase() + DAYS[index].slice(1, 3);
  return parts
    .map(({ first, last, open }) => `${first === last ? name(first) : `${name(first)}-${name(last)}`} ${open}`)
    .join(', ');
}

function weeklyRest() {
  const rests = files.flatMap((file) =>
    file.rules.filter(({ id }) => WEEKLY_REST.test(id)).map((rule) => ({ file, rule })),
  );
  const rows = rests.map(({ file, rule }) => {
    const blocked = DAYS.filter((day) => rule.weekdays[day] === undefined).join(' and ');
    const sources = rule.sources.map(({ reference }) => reference).join('; ');
    return `| \`${rule.id}\` | ${file.name}${rule.jurisdiction === file.jurisdiction ? '' : `, ${rule.jurisdiction}`} | ${blocked} | ${sources} | ${rule.verifiedOn} |`;
  });
  const head = '| rule | where | nothing on | rests on | read on |\n|---|---|---|---|---|';
  return `### Weekly day of rest\n\n${head}\n${rows.join('\n')}\n`;
}
