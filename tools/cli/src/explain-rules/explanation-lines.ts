import { ruleSetReference, SEND_RULES_VERSIONS, type SendReason } from '@assent/send-rules';
import type { ChartDay, ExplainedSend, Slot } from './explain-send.ts';

const WIDTH = 80;
const GLYPHS: Readonly<Record<Slot, string>> = { allowed: '█', partly: '▌', closed: '·' };
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Zones and places named; a number that may be anywhere has dozens. */
const NAMED_MAX = 12;
const SOURCES_MAX = 3;
/** Codes of rules that allowed; advice stands for itself, everything else is against it. */
const FOR: ReadonlySet<string> = new Set([
  'exempt-from-send-windows',
  'inside-send-window',
  'opened-by-consent',
  'within-cap',
  'within-wished-frequency',
  'outside-quiet-hours',
  'consent-live',
  'content-fits',
  'category-fits',
  'wording-capitals',
  'wording-exclamation',
]);

export type Paint = (colour: 'good' | 'bad' | 'dim', text: string) => string;

/** Colours for terminals; none where none are wanted. */
export function painter(isColoured: boolean): Paint {
  const codes = { good: '32', bad: '31', dim: '2' };
  return (colour, text) => (isColoured ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text);
}

/** Pure: an explanation in words, at most 80 columns wide. */
export function explanationLines(explained: ExplainedSend, paint: Paint): string[] {
  const { asked, location, verdict, chartZone, week } = explained;
  const { ruleSet, at, purposeId, category } = asked;
  const { tzdb, holidays } = SEND_RULES_VERSIONS;
  return [
    `${category} for purpose ${purposeId} at ${instant(at)}`,
    ...wrapped(`rules ${ruleSetReference(ruleSet)} on base ${ruleSet.base}; time zones ${tzdb}; ${holidays}`, ''),
    '',
    ...wrapped(`Zones:   ${named(location.zones)} (from: ${location.zonesFrom})`, '         '),
    ...wrapped(`Places:  ${named(location.jurisdictions)} (from: ${location.jurisdictionsFrom})`, '         '),
    ...wrapped(`Answer:  ${answerOf(explained)}`, '         ').map((line) =>
      paint(verdict.verdict === 'allow' ? 'good' : 'bad', line),
    ),
    ...(chartZone === undefined ? [] : ['', ...chartLines(week, chartZone, location.zones.length, paint)]),
    '',
    ...once(verdict.reasons).flatMap((reason) => reasonLines(reason, paint)),
    '',
    ...wrapped(
      'Taken for granted: nothing was sent before, the consent was given that day, and the message names its sender and says how to end it.',
      '',
    ).map((line) => paint('dim', line)),
  ];
}

/** A rule that says the same about several places says it once. */
function once(reasons: readonly SendReason[]): readonly SendReason[] {
  return [...new Map(reasons.map((reason) => [`${reason.ref ?? ''}|${reason.text}`, reason])).values()];
}

function answerOf({ verdict, chartZone, opensAt }: ExplainedSend): string {
  switch (verdict.verdict) {
    case 'allow':
      return `allowed, at least until ${instant(verdict.until)}`;
    case 'hold':
      return `held; everything allows it from ${instant(verdict.until)} on (${opensAt ?? ''} in ${chartZone ?? ''})`;
    case 'review':
      return 'held until a person has looked; the reasons say at what';
    case 'refuse':
      return 'refused; waiting does not help';
  }
}

function chartLines(week: readonly ChartDay[], zone: string, zonesTotal: number, paint: Paint): string[] {
  const everywhere = zonesTotal === 1 ? '' : `, allowed in all ${zonesTotal} zones`;
  const hours = ['0', '6', '12', '18'].map((hour) => hour.padEnd(12)).join('');
  return [
    ...wrapped(`The week in local hours of ${zone}${everywhere}:`, ''),
    `            ${hours}24`,
    ...week.map(({ date, slots, holiday }) => {
      const day = new Date(date);
      const name = `${WEEKDAYS[day.getUTCDay()] ?? ''} ${date.slice(8)} ${MONTHS[day.getUTCMonth()] ?? ''}`;
      const cells = slots.map((slot) => paint(slot === 'closed' ? 'dim' : 'good', GLYPHS[slot])).join('');
      return `${name.padEnd(12)}${cells}${holiday === undefined ? '' : ` ${clipped(holiday, WIDTH - 61)}`}`;
    }),
    `            ${GLYPHS.allowed} allowed  ${GLYPHS.partly} partly  ${GLYPHS.closed} not`,
  ];
}

function reasonLines({ code, text, ref, sources = [] }: SendReason, paint: Paint): string[] {
  const isAgainst = !FOR.has(code);
  const [first = '', ...rest] = wrapped(`${isAgainst ? '✗' : '✓'} ${text}`, '  ');
  return [
    paint(isAgainst ? 'bad' : 'good', first.slice(0, 1)) + first.slice(1),
    ...rest,
    ...(ref === undefined ? [] : [paint('dim', `    ${clipped(ref, WIDTH - 4)}`)]),
    ...sources
      .slice(0, SOURCES_MAX)
      .flatMap(({ kind, reference }) =>
        wrapped(`    ${kind}: ${reference}`, '      ').map((line) => paint('dim', line)),
      ),
  ];
}

function named(names: readonly string[]): string {
  if (names.length === 0) return 'not known';
  const more = names.length - NAMED_MAX;
  return more > 0 ? `${names.slice(0, NAMED_MAX).join(', ')} and ${more} more` : names.join(', ');
}

function instant(at: number): string {
  return new Date(at).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

function clipped(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}

/** Breaks at spaces; what follows the first line begins with `indent`. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S) /)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
