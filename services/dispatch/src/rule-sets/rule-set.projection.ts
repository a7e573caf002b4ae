import type { Fold, ProjectedDocument } from '@assent/projection';
import { DEFAULT_RULE_SET, type RuleSet } from '@assent/send-rules';

/** Sign-offs kept of one version; a second one by the same person says nothing new. */
const SIGN_OFFS_MAX = 20;

/** One version of a rule set; its rules never change. */
export interface RuleSetDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly rules: RuleSet;
  readonly publishedAt: string;
  readonly publishedBy?: string;
  /** In force only from its activation; until then it may run beside the rules in force. */
  readonly shadow: boolean;
  /** Can be activated only after somebody else than its publisher signed it off. */
  readonly secondPerson: boolean;
  readonly signOffs: readonly { readonly by: string; readonly at: string; readonly note?: string }[];
  readonly activation?: { readonly by: string; readonly effectiveFrom: string };
}

/**
 * The life of a version. What it may not do is decided here and not only where it is asked for: an activation without
 * the sign-off that the version needs changes nothing, whoever wrote it.
 */
export const ruleSetFold: Fold<RuleSetDocument> = {
  collection: 'rule_sets',
  topics: ['dispatch.policy'],
  indexes: [{ tenant: 1 }],
  idsOf: (event) => {
    switch (event.type) {
      case 'rule-set.published.v1':
      case 'rule-set.signed-off.v1':
      case 'rule-set.activated.v1':
        return [ruleSetDocumentId(event.tenant, event.data.ruleSetId, event.data.version)];
      default:
        return [];
    }
  },
  evolve: (document, event, id) => {
    switch (event.type) {
      case 'rule-set.published.v1': {
        const { rules, publishedBy, shadow = false, secondPerson = false } = event.data;
        if (document !== undefined) return document;
        return {
          _id: id,
          tenant: event.tenant,
          rules: rules as unknown as RuleSet,
          publishedAt: event.time,
          ...(publishedBy === undefined ? {} : { publishedBy }),
          shadow: shadow || secondPerson,
          secondPerson,
          signOffs: [],
        };
      }
      case 'rule-set.signed-off.v1': {
        const { signedOffBy: by, note } = event.data;
        if (document === undefined || document.signOffs.some((signOff) => signOff.by === by)) return document;
        const signOff = { by, at: event.time, ...(note === undefined ? {} : { note }) };
        return { ...document, signOffs: [...document.signOffs, signOff].slice(0, SIGN_OFFS_MAX) };
      }
      case 'rule-set.activated.v1': {
        if (document === undefined || document.activation !== undefined || lacksSecondPerson(document)) return document;
        const { activatedBy: by, effectiveFrom } = event.data;
        return { ...document, activation: { by, effectiveFrom } };
      }
      default:
        return document;
    }
  },
};

export function ruleSetDocumentId(tenant: string, ruleSetId: string, version: string | number): string {
  return `${tenant}|${ruleSetId}|${version}`;
}

/** Whether the sign-off that it needs is missing. The publisher's own does not count. */
export function lacksSecondPerson({ secondPerson, publishedBy, signOffs }: RuleSetDocument): boolean {
  return secondPerson && !signOffs.some(({ by }) => by !== publishedBy);
}

/** From when a version applies, epoch ms, never before it was published; undefined while it is not activated. */
export function inForceFrom({ rules, shadow, activation, publishedAt }: RuleSetDocument): number | undefined {
  if (activation !== undefined) return Date.parse(activation.effectiveFrom);
  return shadow ? undefined : Math.max(Date.parse(rules.effectiveFrom), Date.parse(publishedAt));
}

/** The version in force at an instant: the one that took effect last, and of several at once the one whose id and version sort last. */
function documentInForce(documents: readonly RuleSetDocument[], at: number): RuleSetDocument | undefined {
  let found: { document: RuleSetDocument; from: number } | undefined;
  for (const document of documents) {
    const from = inForceFrom(document);
    if (from === undefined || from > at) continue;
    const isLater =
      found === undefined || from > found.from || (from === found.from && isAfter(document, found.document));
    if (isLater) found = { document, from };
  }
  return found?.document;
}

function isAfter(a: RuleSetDocument, b: RuleSetDocument): boolean {
  return a.rules.id === b.rules.id ? a.rules.version > b.rules.version : a.rules.id > b.rules.id;
}

/** The rules in force at an instant. A tenant without any gets the strict default. */
export function ruleSetInForce(documents: readonly RuleSetDocument[], at: number): RuleSet {
  return documentInForce(documents, at)?.rules ?? DEFAULT_RULE_SET;
}

/**
 * The one version that runs in shadow at an instant: the newest that is published so and not in force, unless a later
 * version of its rule set is. One only, so that a decision never costs more than two evaluations.
 */
export function ruleSetInShadow(documents: readonly RuleSetDocument[], at: number): RuleSet | undefined {
  const inForce = documentInForce(documents, at)?.rules;
  return documents
    .filter((document) => document.shadow && !((inForceFrom(document) ?? Infinity) <= at))
    .filter(({ rules }) => rules.id !== inForce?.id || rules.version > inForce.version)
    .sort((a, b) => Date.parse(a.publishedAt) - Date.parse(b.publishedAt) || (isAfter(a, b) ? 1 : -1))
    .at(-1)?.rules;
}

/**
 * - `in-force`, `scheduled` (from a later instant), `superseded` (something took effect after it).
 * - `in-shadow`: not activated; it runs beside the rules in force. `set-aside`: not activated, and another one runs.
 */
export type RuleSetStage = 'in-force' | 'scheduled' | 'superseded' | 'in-shadow' | 'set-aside';

/** @param now epoch milliseconds */
export function stageOf(document: RuleSetDocument, all: readonly RuleSetDocument[], now: number): RuleSetStage {
  const from = inForceFrom(document);
  if (from === undefined) return ruleSetInShadow(all, now) === document.rules ? 'in-shadow' : 'set-aside';
  if (from > now) return 'scheduled';
  return documentInForce(all, now) === document ? 'in-force' : 'superseded';
}
