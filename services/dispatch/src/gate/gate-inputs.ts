import { formatPosition, type GateInputs } from '@assent/contracts';
import { ruleSetReference } from '@assent/send-rules';
import type { GateVerdict } from './gate.decider.ts';
import type { GateFacts } from './gate.facts.ts';

/** Versions of the data that every decision of this process uses. */
export interface GateVersions {
  readonly phoneMetadata: string;
  readonly tzdb: string;
}

/** Most zones that are named in an event; a number that could be anywhere has more, and then the country says it all. */
const ZONES_NAMED_MAX = 64;

/** What the decision used, for the event that records it (I8). */
export function gateInputsOf(
  facts: GateFacts,
  verdict: GateVerdict,
  reached: Readonly<Record<string, number>>,
  versions: GateVersions,
): GateInputs {
  const fact = verdict.consent?.granted === false ? verdict.consent.withdrawal : verdict.consent?.grant;
  const grant = verdict.consent?.grant;
  return {
    positions: { ...reached },
    ...(fact?.position === undefined ? {} : { consentPosition: formatPosition(fact.position) }),
    ...(grant === undefined ? {} : { noticeId: grant.noticeId, noticeVersion: grant.noticeVersion }),
    ruleSet: ruleSetReference(facts.ruleSet),
    phoneMetadata: versions.phoneMetadata,
    tzdb: versions.tzdb,
    zones: (facts.recipient?.candidateZones ?? []).slice(0, ZONES_NAMED_MAX),
    verdict: verdict.verdict,
    decidedAt: new Date(facts.at).toISOString(),
  };
}
