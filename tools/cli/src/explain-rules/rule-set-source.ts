import { readFile } from 'node:fs/promises';
import {
  DEFAULT_RULE_SET,
  DEMO_RULE_SET,
  type JurisdictionFile,
  type Rule,
  type RuleSet,
  SHIPPED_RULES,
  validateRuleSet,
} from '@assent/send-rules';
import { CommandError, EXIT } from '../command-error.ts';

/** Rule sets that need no file. */
const KNOWN: Readonly<Record<string, RuleSet>> = {
  default: DEFAULT_RULE_SET,
  demo: DEMO_RULE_SET,
  ...Object.fromEntries(
    Object.keys(SHIPPED_RULES).map((base) => [base, { ...DEFAULT_RULE_SET, id: base.replace('@', '-'), base }]),
  ),
};

/**
 * The rule set of a name (`default`, `demo`, `assent@1`) or of a JSON file.
 *
 * @throws CommandError with every fault of the file, its path and the reason
 */
export async function ruleSetOf(source: string): Promise<RuleSet> {
  const known = Object.hasOwn(KNOWN, source) ? KNOWN[source] : undefined;
  if (known !== undefined) return known;
  let text: string;
  try {
    text = await readFile(source, 'utf8');
  } catch {
    const names = Object.keys(KNOWN).join(', ');
    throw new CommandError(
      `There is no rule set ${source}: neither a file that can be read nor one of ${names}.`,
      EXIT.usage,
    );
  }
  return ruleSetFrom(source, text);
}

/** Pure: reads the text of a rule-set file. */
export function ruleSetFrom(source: string, text: string): RuleSet {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`${source} is no JSON: ${error instanceof Error ? error.message : 'it can not be read'}.`);
  }
  const validation = validateRuleSet(json);
  if (validation.ok) return validation.ruleSet;
  const faults = validation.faults.map(
    ({ path, message }) => `  ${source}${path === '' ? '' : ` ${path}`}: ${message}`,
  );
  throw new CommandError(`${source} is no valid rule set:\n${faults.join('\n')}`);
}

/** A rule of a rule set, and whether it is in force there. */
export interface ListedRule {
  readonly rule: Rule;
  readonly status: 'active' | 'shadow' | 'signed-off';
}

/** Pure: every rule of a rule set by id, those of its base included. */
export function rulesOf({ base, signedOff, rules }: RuleSet): ReadonlyMap<string, ListedRule> {
  const files: readonly JurisdictionFile[] = SHIPPED_RULES[base] ?? [];
  const accepted = new Set(signedOff.map(({ ruleId }) => ruleId));
  const all = [...files.flatMap((file) => file.rules), ...rules];
  return new Map(
    all.map((rule) => [
      rule.id,
      { rule, status: rule.status === 'shadow' && accepted.has(rule.id) ? 'signed-off' : rule.status },
    ]),
  );
}
