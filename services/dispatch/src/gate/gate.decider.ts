import { activeWithdrawals, covers, isGranted, type ConsentAnswer } from '@assent/consent-state';
import { formatPosition, type Reason, type Scope } from '@assent/contracts';
import { evaluate, localInstant, locateRecipient } from '@assent/send-rules';
import type { DispatchWish, GateFacts, RecipientFacts } from './gate.facts.ts';
import { reasonsOf, sendQuestionOf } from './send-question.ts';

/** One receipt may follow a withdrawal for this long. Source: 47 CFR 64.1200(a)(12), a confirmation within 5 minutes. */
export const RECEIPT_VALID_MS = 5 * 60_000;
/** One opt-in ask per address over all forms in this time, so that a form can't be used to pester a stranger. */
export const FORM_ASK_INTERVAL_MS = 7 * 86_400_000;
/** When what holds a dispatch passes by itself (a read model catches up), it is looked at again this soon. */
export const RETRY_BEHIND_MS = 1_000;

/** What a person has to mend (a zone, a parked key, a held sender) is looked at again after this long. */
const RETRY_HELD_MS = 3_600_000;

/**
 * When a hold without a known end is looked at again, epoch ms; at the latest when it expires, so that it ends.
 *
 * @param expiresAt epoch ms
 */
export function heldRetryAt(now: number, expiresAt: number): number {
  return Math.min(now + RETRY_HELD_MS, expiresAt);
}

/**
 * `allow`: the call may begin now. `hold`: not now; `until` (epoch ms) is when it is worth looking again, absent when a
 * person has to act. `refuse`: never. `consent` is what the consent stream answered, where it was asked.
 */
export type GateVerdict =
  | { readonly verdict: 'allow'; readonly reasons: readonly Reason[]; readonly consent?: ConsentAnswer }
  | {
      readonly verdict: 'hold';
      readonly until?: number;
      readonly reasons: readonly Reason[];
      readonly consent?: ConsentAnswer;
    }
  | { readonly verdict: 'refuse'; readonly reasons: readonly Reason[]; readonly consent?: ConsentAnswer };

/**
 * May this message leave at this instant? A pure function of the facts: the same facts give the same verdict, so an
 * auditor can replay it. Order: what can't be known holds (I3), what is final refuses, what passes by itself holds.
 */
export function decideGate(facts: GateFacts): GateVerdict {
  const { wish, recipient } = facts;
  if (facts.behind.length > 0) return holdBehind(facts);
  if (facts.parked.length > 0) {
    return hold(
      'recipient-parked',
      'An event about this person, the sender, the template or the purpose could not be applied. Mend it and replay its key.',
    );
  }
  if (facts.at >= wish.expiresAt) return refuse('expired', 'Its time to be sent has passed.');
  const broken = wishRefusal(facts);
  if (broken !== undefined) return broken;
  if (facts.sender?.held === true) {
    const text = 'A withdrawal arrived for this sender before it was registered. Resolve the quarantined update first.';
    return hold('sender-held', text);
  }
  if (recipient === undefined) return refuse('no-consent', 'Nobody with this address has ever opted in.');
  switch (wish.class) {
    case 'message':
      return decideMessage(facts, recipient);
    case 'opt-in-ask':
      return decideOptInAsk(facts, recipient);
    case 'withdrawal-receipt':
      return decideReceipt(facts, recipient);
  }
}

function decideMessage(facts: GateFacts, recipient: RecipientFacts): GateVerdict {
  const { wish } = facts;
  if (wish.purposeId === undefined) return refuse('purpose-missing', 'A message needs the purpose it serves.');
  const consent = isGranted(recipient.consent, {
    purposeId: wish.purposeId,
    category: wish.category,
    channel: 'whatsapp',
    senderId: wish.senderId,
  });
  const suppressed = suppressionRefusal(wish, recipient);
  if (!consent.granted) {
    const reasons = [consentReason(consent), ...(suppressed?.reasons ?? [])];
    return { verdict: 'refuse', reasons, consent };
  }
  if (suppressed !== undefined) return { ...suppressed, consent };
  return { ...(beforeItsTime(facts, recipient) ?? decideRules(facts, recipient, false, consent)), consent };
}

/**
 * A request by form stands until the person said no anywhere; only the person's own later message starts again after a
 * withdrawal, and then at any hour, since it answers what the person just did.
 */
function decideOptInAsk(facts: GateFacts, recipient: RecipientFacts): GateVerdict {
  const { request } = recipient;
  if (request === undefined) return refuse('request-unknown', 'The request to opt in is not on record.');
  if (facts.at >= request.expiresAt) return refuse('request-expired', 'The request to opt in is too old to ask about.');
  const withdrawal = activeWithdrawals(recipient.consent)
    .filter((candidate) => covers(candidate.scope, aspectsOf(facts.wish)))
    .find((candidate) => !request.selfStarted || Date.parse(candidate.effectiveAt) >= request.requestedAt);
  if (withdrawal !== undefined) {
    const text = request.selfStarted
      ? 'The person withdrew after asking to opt in.'
      : 'The person has withdrawn; only a message of their own can start again.';
    return refuse(
      'withdrawn',
      text,
      withdrawal.position === undefined ? undefined : formatPosition(withdrawal.position),
    );
  }
  const suppressed = suppressionRefusal(facts.wish, recipient);
  if (suppressed !== undefined) return suppressed;
  if (!request.selfStarted && recipient.lastFormAskAt !== undefined) {
    if (facts.at < recipient.lastFormAskAt + FORM_ASK_INTERVAL_MS) {
      return refuse(
        'asked-recently',
        'This address was asked within the last 7 days; a form may not ask again so soon.',
      );
    }
  }
  return decideRules(facts, recipient, request.selfStarted);
}

/** The one receipt that a withdrawal is owed: soon after it, at any hour, whatever else the withdrawal forbids. */
function decideReceipt(facts: GateFacts, recipient: RecipientFacts): GateVerdict {
  const { withdrawal } = facts;
  if (withdrawal?.withdrawalId !== facts.wish.cause.id) {
    return refuse('withdrawal-unknown', 'The withdrawal that this receipt is for is not on record.');
  }
  if (facts.at > withdrawal.recordedAt + RECEIPT_VALID_MS) {
    return refuse('receipt-too-late', 'A receipt may follow a withdrawal for 5 minutes; that time has passed.');
  }
  const suppressed = suppressionRefusal(facts.wish, recipient);
  if (suppressed !== undefined) return suppressed;
  return decideRules(facts, recipient, false);
}

/**
 * The time that was asked for stands as it was said: an instant, or a local time wherever the person is now. Where the
 * person moved, or the rules of a time zone changed, since it was planned, the instant is another one.
 */
function beforeItsTime(facts: GateFacts, recipient: RecipientFacts): GateVerdict | undefined {
  const { schedule } = facts.wish;
  if (schedule.kind === 'now') return undefined;
  const wished =
    schedule.kind === 'at'
      ? Date.parse(schedule.at)
      : localInstant({ ...schedule, zones: locateRecipient(recipient.evidence).zones });
  if (wished === undefined) {
    return hold(
      'zone-unknown',
      'Nothing tells which time zone the person is in, so a local time means nothing. Declare a zone.',
    );
  }
  if (wished <= facts.at) return undefined;
  return holdUntil(facts, wished, [{ code: 'scheduled-later', text: 'The time that was asked for has not come.' }]);
}

/** Hours, holidays, blackouts, caps, the life of a consent and what a message has to say. */
function decideRules(
  facts: GateFacts,
  recipient: RecipientFacts,
  selfStarted: boolean,
  consent?: ConsentAnswer,
): GateVerdict {
  const answer = evaluate(sendQuestionOf(facts, recipient, selfStarted, consent));
  const reasons = reasonsOf(answer.reasons);
  switch (answer.verdict) {
    case 'allow':
    case 'refuse':
      return { verdict: answer.verdict, reasons };
    case 'hold':
      return holdUntil(facts, answer.until, reasons);
    case 'review':
      return { verdict: 'hold', reasons: blackoutsFirst(reasons) };
  }
}

/** A blackout without an end leaves no allowed time in sight: it, and not that, is what a person can end. */
function blackoutsFirst(reasons: readonly Reason[]): readonly Reason[] {
  return [...reasons].sort((a, b) => Number(b.code === 'blackout') - Number(a.code === 'blackout'));
}

/** Held for a known time; what expires before it is refused at once. */
function holdUntil({ wish }: GateFacts, until: number, reasons: readonly Reason[]): GateVerdict {
  if (until >= wish.expiresAt) return { verdict: 'refuse', reasons: [...reasons, expiresFirst(wish)] };
  return { verdict: 'hold', until, reasons };
}

function expiresFirst(wish: DispatchWish): Reason {
  const text = `It expires at ${new Date(wish.expiresAt).toISOString()}, before the next allowed time.`;
  return { code: 'expires-before-allowed', text };
}

/** What is wrong with the wish itself, whoever the recipient is. */
function wishRefusal(facts: GateFacts): GateVerdict | undefined {
  const { wish, template } = facts;
  if (facts.sender === undefined) return refuse('sender-unknown', 'The sender is not registered.');
  if (template === undefined) return refuse('template-unknown', 'The template is not registered in this language.');
  if (template.category !== wish.category) {
    return refuse('template-category-changed', `The template is now ${template.category}, not ${wish.category}.`);
  }
  if (template.bodyParameters !== wish.parameterCount) {
    const text = `The template takes ${template.bodyParameters} parameters, ${wish.parameterCount} were given.`;
    return refuse('template-parameters', text);
  }
  if (wish.class !== 'message') return undefined;
  if (facts.purpose === undefined) return refuse('purpose-unknown', 'The purpose is not published.');
  if (template.category === 'marketing' && facts.purpose.category !== 'marketing') {
    const text = `The template is marketing, the purpose is ${facts.purpose.category}: the person agreed to less.`;
    return refuse('category-exceeds-purpose', text);
  }
  return undefined;
}

function suppressionRefusal(
  wish: DispatchWish,
  recipient: RecipientFacts,
): (GateVerdict & { verdict: 'refuse' }) | undefined {
  const aspects = aspectsOf(wish);
  const reasons = recipient.causes
    .filter((cause) => covers(cause.scope, aspects))
    .map((cause) => ({
      code: `suppressed-${cause.kind}`,
      text: `The address is suppressed (${cause.kind}, ${scopeText(cause.scope)}).`,
      ref: formatPosition(cause.position),
    }));
  return reasons.length > 0 ? { verdict: 'refuse', reasons } : undefined;
}

function aspectsOf(wish: DispatchWish): Parameters<typeof covers>[1] {
  return {
    // An ask or a receipt serves no purpose of its own; only wider scopes can cover it.
    purposeId: wish.purposeId ?? '',
    category: wish.category,
    channel: 'whatsapp',
    senderId: wish.senderId,
  };
}

function consentReason(consent: ConsentAnswer): Reason {
  if (consent.reason === 'withdrawn' && consent.withdrawal !== undefined) {
    const { position, effectiveAt, lane, scope } = consent.withdrawal;
    const who = lane === 'platform' ? 'The platform reported a stop' : 'The person withdrew';
    return {
      code: 'withdrawn',
      text: `${who} (${scopeText(scope)}), in force since ${effectiveAt}.`,
      ...(position === undefined ? {} : { ref: formatPosition(position) }),
    };
  }
  return { code: 'no-consent', text: 'The person has not opted in to this purpose.' };
}

function scopeText(scope: Scope): string {
  return scope.kind === 'all' ? 'everything' : `${scope.kind} ${scope.id}`;
}

function holdBehind(facts: GateFacts): GateVerdict {
  const text = `What these logs say about the person is not known yet: ${facts.behind.join(', ')}.`;
  return { verdict: 'hold', until: facts.at + RETRY_BEHIND_MS, reasons: [{ code: 'read-model-behind', text }] };
}

function hold(code: string, text: string): GateVerdict {
  return { verdict: 'hold', reasons: [{ code, text }] };
}

function refuse(code: string, text: string, ref?: string): GateVerdict & { verdict: 'refuse' } {
  return { verdict: 'refuse', reasons: [{ code, text, ...(ref === undefined ? {} : { ref }) }] };
}
