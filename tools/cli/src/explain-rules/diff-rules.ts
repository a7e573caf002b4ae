import type { RuleSet } from '@assent/send-rules';
import { type ListedRule, rulesOf } from './rule-set-source.ts';

/** Values are shown up to so many characters. */
const VALUE_CHARS_MAX = 60;
const INDENT = '    ';

/** Pure: what the second rule set has otherwise than the first, a line each; empty when nothing. */
export function diffLines(before: RuleSet, after: RuleSet): string[] {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  const ids = [...new Set([...old.keys(), ...now.keys()])].sort();
  const rules = ids.flatMap((id) => ruleLines(id, old.get(id), now.get(id)));
  const exempt = fieldLines('exempt', before.exempt, after.exempt).map((line) => line.trim());
  return [...exempt.map((line) => `~ ${line}`), ...rules];
}

function ruleLines(id: string, before: ListedRule | undefined, after: ListedRule | undefined): string[] {
  if (before === undefined) return after === undefined ? [] : [`+ ${titleOf(id, after)}`];
  if (after === undefined) return [`- ${titleOf(id, before)}`];
  const fields = [...new Set([...Object.keys(before.rule), ...Object.keys(after.rule)])].filter(
    (name) => name !== 'status',
  );
  const changed = [
    ...fieldLines('status', before.status, after.status),
    ...fields.flatMap((name) => fieldLines(name, valueOf(before, name), valueOf(after, name))),
  ];
  return changed.length === 0 ? [] : [`~ ${titleOf(id, after)}`, ...changed];
}

function titleOf(id: string, { rule, status }: ListedRule): string {
  return `${id} (${rule.jurisdiction}, ${rule.kind}${status === 'active' ? '' : `, ${status}`})`;
}

function valueOf({ rule }: ListedRule, name: string): unknown {
  return (rule as unknown as Readonly<Record<string, unknown>>)[name];
}

/** One line for a plain value; for an object one for each of its members that differ. */
function fieldLines(name: string, before: unknown, after: unknown): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return members.flatMap((member) => fieldLines(`${name}.${member}`, before[member], after[member]));
  }
  const whole = `${INDENT}${name}: ${shown(before)} → ${shown(after)}`;
  if (whole.length <= 80) return [whole];
  return [`${INDENT}${name}:`, `${INDENT}  ${shown(before)}`, `${INDENT}→ ${shown(after)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Windows as people write them, anything else as JSON. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isWindows(value)) return value.length === 0 ? 'closed' : value.map(([from, to]) => `${from}-${to}`).join(', ');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX - 1)}…`;
}

function isWindows(value: unknown): value is readonly (readonly [string, string])[] {
  const isTime = (text: unknown): boolean => typeof text === 'string' && /^\d\d:\d\d$/.test(text);
  return Array.isArray(value) && value.every((one) => Array.isArray(one) && one.length === 2 && one.every(isTime));
}
