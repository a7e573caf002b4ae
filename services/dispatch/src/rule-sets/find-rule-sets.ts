import { readableRuleSet, type RuleSet } from '@assent/send-rules';
import { Problem } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import { type RuleSetDocument, ruleSetDocumentId, ruleSetFold } from './rule-set.projection.ts';

const PRIMARY = { readPreference: 'primary' } as const;

/** Rule sets remembered; one of 200 rules is about 150 kB. */
const READ_MAX = 100;
const read = new Map<string, { readonly stored: string; readonly ruleSet: RuleSet }>();

/** Every version of every rule set of a tenant. Reads the primary. */
export async function ruleSetsOf(db: Connection, tenant: string): Promise<RuleSetDocument[]> {
  const found = await db.collection<RuleSetDocument>(ruleSetFold.collection).find({ tenant }, PRIMARY).toArray();
  return found.map(withSharedRules);
}

/**
 * The document with its rules in the present shape, and for the same stored rules always the same object: the engine
 * remembers by it what it has read out of a rule set.
 */
export function withSharedRules(document: RuleSetDocument): RuleSetDocument {
  const { _id: id, rules } = document;
  const stored = JSON.stringify(rules);
  const known = read.get(id);
  if (known?.stored === stored) return { ...document, rules: known.ruleSet };
  const ruleSet = readableRuleSet(rules);
  if (read.size >= READ_MAX) read.clear();
  read.set(id, { stored, ruleSet });
  return { ...document, rules: ruleSet };
}

export async function findRuleSet(
  db: Connection,
  tenant: string,
  ruleSetId: string,
  version: number,
): Promise<RuleSetDocument | undefined> {
  const found = await db
    .collection<RuleSetDocument>(ruleSetFold.collection)
    .findOne({ _id: ruleSetDocumentId(tenant, ruleSetId, version) }, PRIMARY);
  return found === null ? undefined : withSharedRules(found);
}

export function noSuchRuleSet(): Problem {
  return new Problem({
    status: 404,
    code: 'no-such-rule-set',
    title: 'There is no such version of a rule set',
    detail: 'Check id and version. If it was published a moment ago, give its position as Assent-Min-Position.',
  });
}
