import type { RuleSet } from './rule.ts';

/** What a rule of hours could say before rules had places; everything else in it is no such rule. */
const EARLIER_FIELDS: ReadonlySet<string> = new Set(['id', 'classes', 'categories', 'weekdays', 'source']);

/** Whether a value has the shape that rule sets were published in before: `windows`, and no `base` or `rules`. */
export function isEarlierRuleSet(value: unknown): value is { readonly windows: readonly unknown[] } {
  return isObject(value) && Array.isArray(value['windows']) && !('base' in value) && !('rules' in value);
}

/**
 * A set of the shape before, as it is said now: base `none`, each of its hours a rule for everybody that knows no
 * holidays, on the publisher's own responsibility. The same set always gives the same text. What was never allowed in
 * that shape is left as it is, so that `validateRuleSet` names it. Any other value is returned as it is.
 */
export function inPresentShape(value: unknown): unknown {
  if (!isEarlierRuleSet(value)) return value;
  const { windows, ...rest } = value as typeof value & Readonly<Record<string, unknown>>;
  const from = rest['effectiveFrom'];
  const verifiedOn = typeof from === 'string' ? from.slice(0, 10) : '';
  return { signedOff: [], ...rest, base: 'none', rules: windows.map((window) => ruleOf(window, verifiedOn)) };
}

/** A stored set as the engine reads it. What has neither shape comes back as it is, and nobody can be asked under it. */
export function readableRuleSet(stored: RuleSet): RuleSet {
  return inPresentShape(stored) as RuleSet;
}

function ruleOf(window: unknown, verifiedOn: string): unknown {
  if (!isObject(window) || Object.keys(window).some((name) => !EARLIER_FIELDS.has(name))) return window;
  const { source, ...hours } = window;
  const reference = source === undefined || source === '' ? "the publisher's own choice" : source;
  return {
    ...hours,
    kind: 'windows',
    jurisdiction: '*',
    channel: 'any-electronic',
    status: 'active',
    holidays: 'as-weekday',
    sources: [{ kind: 'own', reference }],
    verifiedOn,
    confidence: 'low',
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
