import { monthsAfter } from './calendar.ts';
import { locateRecipient } from './locate-recipient.ts';
import { ruleReason } from './reasons.ts';
import type { ConsentLifeRule, RuleSet } from './rule.ts';
import { placesOf, rulesInForce, rulesThatHold } from './rules-in-force.ts';
import type { ConsentEvidence, RecipientEvidence, SendQuestion, SendReason } from './send-question.ts';
import { localTimeAt, timeZoneOf } from './time-zones.ts';

/** A consent, with the message that would rest on it. */
export interface HeldConsent extends Pick<SendQuestion, 'class' | 'category' | 'purposeId'> {
  /** The caller's name for it, such as a subject id. */
  readonly id: string;
  readonly recipient: RecipientEvidence;
  readonly consent: ConsentEvidence;
}

export interface DueConsent {
  readonly id: string;
  /** Epoch ms; in the past when it has lapsed. */
  readonly lapsesAt: number;
  /** Ask again until then (`consent-live`), or before anything is sent (`consent-lapsed`). */
  readonly reason: SendReason;
}

/** The instant (epoch ms) at which a consent lapses by a rule; undefined when the rule is about another basis. */
export function lapsesAt(rule: ConsentLifeRule, consent: ConsentEvidence): number | undefined {
  if (rule.basis !== consent.basis) return undefined;
  const since = { grant: undefined, 'last-use': consent.lastUsedAt, 'last-act': consent.lastActAt }[rule.countsFrom];
  return monthsAfter(Math.max(consent.grantedAt, since ?? consent.grantedAt), rule.monthsMax);
}

/**
 * The consents that have lapsed or lapse within `withinMs` of `at` (epoch ms), by the strictest rule of every place the
 * person may be; first those that lapse first. Consents that no rule lets lapse are not among them.
 */
export function dueSoon(
  consents: readonly HeldConsent[],
  when: { readonly at: number; readonly withinMs: number; readonly ruleSet: RuleSet },
): readonly DueConsent[] {
  return consents
    .flatMap((held) => lapseOf(held, when) ?? [])
    .filter((due) => due.lapsesAt <= when.at + when.withinMs)
    .sort((a, b) => a.lapsesAt - b.lapsesAt);
}

function lapseOf(
  held: HeldConsent,
  { at, ruleSet }: { readonly at: number; readonly ruleSet: RuleSet },
): DueConsent | undefined {
  const rules = rulesInForce(ruleSet);
  const location = locateRecipient(held.recipient);
  const zones = location.zones.map(timeZoneOf).filter((zone) => zone !== undefined);
  const days = new Set(zones.map((zone) => localTimeAt(zone, at).epochDay));
  let first: { readonly lapsesAt: number; readonly rule: ConsentLifeRule } | undefined;
  for (const place of placesOf(location.jurisdictions, rules)) {
    for (const day of days) {
      for (const rule of rulesThatHold(rules, 'consent-life', place, held, day)) {
        const lapses = lapsesAt(rule, held.consent);
        if (lapses !== undefined && lapses < (first?.lapsesAt ?? Infinity)) first = { lapsesAt: lapses, rule };
      }
    }
  }
  if (first === undefined) return undefined;
  const until = new Date(first.lapsesAt).toISOString();
  const code = first.lapsesAt <= at ? 'consent-lapsed' : 'consent-live';
  return { id: held.id, lapsesAt: first.lapsesAt, reason: ruleReason(code, rules.reference, first.rule, { until }) };
}
