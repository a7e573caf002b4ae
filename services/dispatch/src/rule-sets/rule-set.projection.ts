import type { Fold, ProjectedDocument } from '@assent/projection';
import { DEFAULT_RULE_SET, type RuleSet } from '@assent/send-rules';

/** One version of a rule set; a version never changes. */
export interface RuleSetDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly rules: RuleSet;
}

export const ruleSetFold: Fold<RuleSetDocument> = {
  collection: 'rule_sets',
  topics: ['dispatch.policy'],
  indexes: [{ tenant: 1 }],
  idsOf: (event) =>
    event.type === 'rule-set.published.v1'
      ? [ruleSetDocumentId(event.tenant, event.data.ruleSetId, event.data.version)]
      : [],
  evolve: (document, event, id) =>
    event.type === 'rule-set.published.v1' && document === undefined
      ? { _id: id, tenant: event.tenant, rules: event.data.rules as unknown as RuleSet }
      : document,
};

export function ruleSetDocumentId(tenant: string, ruleSetId: string, version: string | number): string {
  return `${tenant}|${ruleSetId}|${version}`;
}

/**
 * The rule set in force at an instant: the one that took effect last, and of several at once the one whose id and
 * version sort last. A tenant without one gets the strict default.
 */
export function ruleSetInForce(documents: readonly RuleSetDocument[], at: number): RuleSet {
  const inForce = documents
    .filter(({ rules }) => Date.parse(rules.effectiveFrom) <= at)
    .sort((a, b) => Date.parse(a.rules.effectiveFrom) - Date.parse(b.rules.effectiveFrom) || (a._id < b._id ? -1 : 1));
  return inForce.at(-1)?.rules ?? DEFAULT_RULE_SET;
}
