import { epochDayOf } from './calendar.ts';
import { readableRuleSet } from './earlier-rule-set.ts';
import { isKnownCountry } from './locate-recipient.ts';
import type { Jurisdiction, JurisdictionFile, Rule, RuleSet } from './rule.ts';
import type { SendQuestion } from './send-question.ts';
import { SHIPPED_RULES } from './shipped-rules.ts';

/** Where one person may be, with everything that holds there. */
export interface Place {
  /** `US-FL`, `DE`; `?` when nothing is known. */
  readonly name: string;
  /** The jurisdictions whose rules hold there: the country (after the one whose law it has), then the part. */
  readonly levels: readonly Jurisdiction[];
}

/** A rule set, ready to be asked. */
export interface RulesInForce {
  /** Why nobody can be asked under it; then nothing else holds. */
  readonly fault?: 'unknown-base' | 'unreadable';
  readonly reference: string;
  readonly rulesFor: (jurisdiction: Jurisdiction) => readonly InForce[];
  /** Parts of a country that have rules of their own: whoever may be anywhere in the country may be there. */
  readonly partsOf: (country: string) => readonly Jurisdiction[];
  /** Territories in which the law of another country holds. */
  readonly lawOf: (country: string) => string;
}

interface InForce {
  readonly rule: Rule;
  /**
   * `replaces`: in force instead of the default of its kind. `adds`: in force next to it, because it rests on the choice
   * of Assent or of the publisher alone. `waits`: in shadow, the default holds in its place.
   */
  readonly effect: 'replaces' | 'adds' | 'waits';
  /** Local days (since 1970-01-01) between which it applies: the first included, the second not. */
  readonly from: number;
  readonly until: number;
}

const NOTHING: readonly never[] = [];
const EVERYBODY = '*';
const DEFAULT = 'default';
const NOT_KNOWN = '?';

interface Indexed {
  readonly rows: ReadonlyMap<Jurisdiction, readonly InForce[]>;
  readonly parts: ReadonlyMap<string, readonly Jurisdiction[]>;
  readonly covered: ReadonlyMap<string, string>;
}

const shipped = new Map(Object.entries(SHIPPED_RULES).map(([base, files]) => [base, indexShipped(files)]));
const EMPTY: Indexed = { rows: new Map(), parts: new Map(), covered: new Map() };
const known = new WeakMap<RuleSet, RulesInForce>();

/** Reads a rule set once; asked again with the same object it answers from memory. Never throws. */
export function rulesInForce(ruleSet: RuleSet): RulesInForce {
  const before = known.get(ruleSet);
  if (before !== undefined) return before;
  const read = readRuleSet(ruleSet);
  known.set(ruleSet, read);
  return read;
}

/**
 * The places that stand for where a person may be. A country alone stands for each of its parts that has rules, and for
 * its other parts; no jurisdiction at all for a place where only the default and the rules for everybody hold.
 */
export function placesOf(jurisdictions: readonly Jurisdiction[], rules: RulesInForce): readonly Place[] {
  if (jurisdictions.length === 0) return [{ name: NOT_KNOWN, levels: [] }];
  const names = new Set(jurisdictions.flatMap((one) => (one.length === 2 ? [one, ...rules.partsOf(one)] : [one])));
  return [...names].map((name) => {
    const country = name.slice(0, 2);
    return { name, levels: [...new Set([rules.lawOf(country), country, name])] };
  });
}

/**
 * The rules of a kind that hold for a question in a place on a local day. The country's and its part's hold together;
 * the default holds where neither replaces it, and in place of a level that has only rows in shadow.
 */
export function rulesThatHold<K extends Rule['kind']>(
  rules: RulesInForce,
  kind: K,
  place: Place,
  question: Pick<SendQuestion, 'class' | 'category' | 'purposeId'>,
  epochDay: number,
): readonly Extract<Rule, { kind: K }>[] {
  const applies = ({ rule, from, until }: InForce): boolean =>
    rule.kind === kind && from <= epochDay && epochDay < until && isAbout(rule, question);
  const holding = rules.rulesFor(EVERYBODY).filter((row) => row.effect !== 'waits' && applies(row));
  let replaced = false;
  let inShadow = false;
  for (const level of place.levels) {
    const rows = rules.rulesFor(level).filter(applies);
    holding.push(...rows.filter(({ effect }) => effect !== 'waits'));
    const levelReplaces = rows.some(({ effect }) => effect === 'replaces');
    replaced ||= levelReplaces;
    inShadow ||= !levelReplaces && rows.some(({ effect }) => effect === 'waits');
  }
  if (!replaced || inShadow) {
    holding.push(...rules.rulesFor(DEFAULT).filter((row) => row.effect !== 'waits' && applies(row)));
  }
  return holding.map(({ rule }) => rule as Extract<Rule, { kind: K }>);
}

/** Local days on which some rule that may hold in a place begins or ends to apply; sorted. */
export function daysOfChange(rules: RulesInForce, places: readonly Place[]): readonly number[] {
  const levels = new Set([EVERYBODY, DEFAULT, ...places.flatMap((place) => place.levels)]);
  const days = [...levels].flatMap((level) => rules.rulesFor(level)).flatMap(({ from, until }) => [from, until]);
  return [...new Set(days.filter(Number.isFinite))].sort((a, b) => a - b);
}

/** Whether a rule is about a message of that class, category and purpose. */
export function isAbout(rule: Rule, message: Pick<SendQuestion, 'class' | 'category' | 'purposeId'>): boolean {
  return (
    (rule.classes === undefined || rule.classes.includes(message.class)) &&
    (rule.categories === undefined || rule.categories.includes(message.category)) &&
    (rule.purposes === undefined || (message.purposeId !== undefined && rule.purposes.includes(message.purposeId)))
  );
}

function readRuleSet(stored: RuleSet): RulesInForce {
  // A set that was published under an older shape is read back from the log as it was.
  const ruleSet = readableRuleSet(stored);
  const reference = `${ruleSet.id}@${ruleSet.version}`;
  const broken = (fault: 'unknown-base' | 'unreadable'): RulesInForce => ({
    fault,
    reference,
    rulesFor: () => NOTHING,
    partsOf: () => NOTHING,
    lawOf: (country) => country,
  });
  const lists: readonly unknown[] = [ruleSet.rules, ruleSet.signedOff];
  if (!lists.every((list) => Array.isArray(list))) return broken('unreadable');
  const base = ruleSet.base === 'none' ? EMPTY : shipped.get(ruleSet.base);
  if (base === undefined) return broken('unknown-base');
  const signedOff = new Set(ruleSet.signedOff.map(({ ruleId }) => ruleId));
  // A publisher's own row in shadow is only written down; it neither holds nor calls the default in.
  const ownRules = ruleSet.rules.filter(({ status }) => status === 'active');
  const own = groupBy(ownRules, ({ jurisdiction }) => jurisdiction, ownRow);
  const ownParts = partsAmong(own.keys());
  const rows = new Map<Jurisdiction, readonly InForce[]>();
  return {
    reference,
    rulesFor: (jurisdiction) => {
      const before = rows.get(jurisdiction);
      if (before !== undefined) return before;
      const found = [
        ...(base.rows.get(jurisdiction) ?? NOTHING).map((row) =>
          row.effect === 'waits' && signedOff.has(row.rule.id) ? { ...row, effect: 'replaces' as const } : row,
        ),
        ...(own.get(jurisdiction) ?? NOTHING),
      ];
      rows.set(jurisdiction, found);
      return found;
    },
    partsOf: (country) => [...(base.parts.get(country) ?? NOTHING), ...(ownParts.get(country) ?? NOTHING)],
    lawOf: (country) => base.covered.get(country) ?? country,
  };
}

function indexShipped(files: readonly JurisdictionFile[]): Indexed {
  const rules = files.flatMap((file) => file.rules);
  const rows = groupBy(rules, ({ jurisdiction }) => jurisdiction, shippedRow);
  return {
    rows,
    parts: partsAmong(rows.keys()),
    covered: new Map(files.flatMap((file) => (file.covers ?? []).map((territory) => [territory, file.jurisdiction]))),
  };
}

/** Country → its parts. */
function partsAmong(jurisdictions: Iterable<Jurisdiction>): ReadonlyMap<string, readonly Jurisdiction[]> {
  return groupBy(
    [...jurisdictions].filter((one) => /^[A-Z]{2}-/.test(one)),
    (one) => one.slice(0, 2),
    (one) => one,
  );
}

function shippedRow(rule: Rule): InForce {
  const ownChoice = rule.sources.every((source) => source.kind === 'own');
  return { ...span(rule), rule, effect: rule.status === 'shadow' ? 'waits' : ownChoice ? 'adds' : 'replaces' };
}

function ownRow(rule: Rule): InForce {
  return { ...span(rule), rule, effect: 'adds' };
}

function span(rule: Rule): { from: number; until: number } {
  return {
    from: rule.appliesFrom === undefined ? -Infinity : (epochDayOf(rule.appliesFrom) ?? -Infinity),
    until: rule.appliesUntil === undefined ? Infinity : (epochDayOf(rule.appliesUntil) ?? Infinity),
  };
}

function groupBy<T, V>(items: readonly T[], keyOf: (item: T) => string, valueOf: (item: T) => V): Map<string, V[]> {
  const groups = new Map<string, V[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [valueOf(item)]);
    else group.push(valueOf(item));
  }
  return groups;
}

/** Whether a jurisdiction is one that rules can be written for. */
export function isJurisdiction(text: string): boolean {
  return text === EVERYBODY || text === DEFAULT || isPlace(text);
}

/** Whether a text names a country of ISO 3166, or a part of one; whether that part exists is not checked. */
export function isPlace(text: string): boolean {
  return /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(text) && isKnownCountry(text.slice(0, 2));
}
