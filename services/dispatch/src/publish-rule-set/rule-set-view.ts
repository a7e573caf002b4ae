import type { RuleSet } from '@assent/send-rules';
import {
  inForceFrom,
  lacksSecondPerson,
  type RuleSetDocument,
  type RuleSetStage,
  stageOf,
} from '../rule-sets/rule-set.projection.ts';

/** A version of a rule set as callers see it. */
export interface RuleSetView {
  readonly id: string;
  readonly version: number;
  readonly stage: RuleSetStage;
  /** From when it applies; absent while it is not activated. */
  readonly inForceFrom?: string;
  readonly publishedAt: string;
  readonly publishedBy?: string;
  readonly activatedBy?: string;
  readonly signOffs: RuleSetDocument['signOffs'];
  /** The sign-off by a second person that its activation needs is missing. */
  readonly needsSignOff: boolean;
  readonly rules: RuleSet;
}

/** @param now epoch milliseconds */
export function ruleSetView(document: RuleSetDocument, all: readonly RuleSetDocument[], now: number): RuleSetView {
  const { rules, publishedAt, publishedBy, activation, signOffs } = document;
  const from = inForceFrom(document);
  return {
    id: rules.id,
    version: rules.version,
    stage: stageOf(document, all, now),
    ...(from === undefined ? {} : { inForceFrom: new Date(from).toISOString() }),
    publishedAt,
    ...(publishedBy === undefined ? {} : { publishedBy }),
    ...(activation === undefined ? {} : { activatedBy: activation.by }),
    signOffs,
    needsSignOff: lacksSecondPerson(document),
    rules,
  };
}
