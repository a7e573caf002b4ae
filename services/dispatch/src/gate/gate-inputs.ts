import { formatPosition, type GateInputs } from '@assent/contracts';
import { locateRecipient, ruleSetReference } from '@assent/send-rules';
import { decideGate, type GateVerdict } from './gate.decider.ts';
import type { GateFacts } from './gate.facts.ts';

/** Versions of the data that every decision of this process uses. */
export interface GateVersions {
  readonly phoneMetadata: string;
  readonly tzdb: string;
  readonly holidays: string;
}

/** Most zones, and most regions, that are named in an event; a number that could be anywhere has more, and then the country says it all. */
const NAMED_MAX = 64;

/** What the decision used, for the event that records it (I8). */
export function gateInputsOf(
  facts: GateFacts,
  verdict: GateVerdict,
  reached: Readonly<Record<string, number>>,
  versions: GateVersions,
): GateInputs {
  const fact = verdict.consent?.granted === false ? verdict.consent.withdrawal : verdict.consent?.grant;
  const grant = verdict.consent?.grant;
  const location = facts.recipient === undefined ? undefined : locateRecipient(facts.recipient.evidence);
  const shadow = shadowOf(facts);
  return {
    positions: { ...reached },
    ...(fact?.position === undefined ? {} : { consentPosition: formatPosition(fact.position) }),
    ...(grant === undefined ? {} : { noticeId: grant.noticeId, noticeVersion: grant.noticeVersion }),
    ruleSet: ruleSetReference(facts.ruleSet),
    phoneMetadata: versions.phoneMetadata,
    tzdb: versions.tzdb,
    holidays: versions.holidays,
    zones: (location?.zones ?? []).slice(0, NAMED_MAX),
    regions: (location?.jurisdictions ?? []).slice(0, NAMED_MAX),
    verdict: verdict.verdict,
    ...(shadow === undefined ? {} : { shadow }),
    decidedAt: new Date(facts.at).toISOString(),
  };
}

/** What the version in shadow says on the same facts; nothing when the facts themselves are not all known. */
function shadowOf(facts: GateFacts): GateInputs['shadow'] {
  const { shadowRuleSet: ruleSet, behind } = facts;
  if (ruleSet === undefined || behind.length > 0) return undefined;
  const verdict = decideGate({ ...facts, ruleSet });
  const until = verdict.verdict === 'hold' ? verdict.until : undefined;
  const [first] = verdict.reasons;
  return {
    ruleSet: ruleSetReference(ruleSet),
    verdict: verdict.verdict,
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    ...(first === undefined ? {} : { code: first.code }),
    ...(first?.ref === undefined ? {} : { ref: first.ref }),
  };
}
