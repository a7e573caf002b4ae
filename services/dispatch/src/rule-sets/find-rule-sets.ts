import { Problem } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import { type RuleSetDocument, ruleSetDocumentId, ruleSetFold } from './rule-set.projection.ts';

const PRIMARY = { readPreference: 'primary' } as const;

/** Every version of every rule set of a tenant. Reads the primary. */
export function ruleSetsOf(db: Connection, tenant: string): Promise<RuleSetDocument[]> {
  return db.collection<RuleSetDocument>(ruleSetFold.collection).find({ tenant }, PRIMARY).toArray();
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
  return found ?? undefined;
}

export function noSuchRuleSet(): Problem {
  return new Problem({
    status: 404,
    code: 'no-such-rule-set',
    title: 'There is no such version of a rule set',
    detail: 'Check id and version. If it was published a moment ago, give its position as Assent-Min-Position.',
  });
}
