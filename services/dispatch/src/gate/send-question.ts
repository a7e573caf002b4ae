import type { ConsentAnswer, GrantRegister } from '@assent/consent-state';
import type { Reason } from '@assent/contracts';
import type { ConsentEvidence, MessageContent, SendQuestion, SendReason } from '@assent/send-rules';
import type { GateFacts, RecipientFacts } from './gate.facts.ts';

/** Reasons that one event takes, and the characters of one. */
const REASONS_MAX = 64;
const REASON_CHARS_MAX = 300;

/** The facts of a gate as the send rules ask for them. */
export function sendQuestionOf(
  facts: GateFacts,
  recipient: RecipientFacts,
  selfStarted: boolean,
  consent: ConsentAnswer | undefined,
): SendQuestion {
  const { wish } = facts;
  const grant = consent?.grant;
  const evidence =
    grant === undefined ? undefined : consentEvidenceOf(grant, recipient.lastUsedAt, recipient.lastActAt);
  const content = contentOf(facts);
  return {
    at: facts.at,
    recipient: recipient.evidence,
    wishes: recipient.wishes,
    senderId: wish.senderId,
    ...(wish.purposeId === undefined ? {} : { purposeId: wish.purposeId }),
    class: wish.class,
    category: wish.category,
    selfStarted,
    attempts: recipient.attempts,
    ...(evidence === undefined ? {} : { consent: evidence }),
    ...(content === undefined ? {} : { content }),
    ruleSet: facts.ruleSet,
    holidays: facts.holidays,
    blackouts: facts.blackouts,
  };
}

/** What an event records of the rules that took part; one that says the same about several places says it once. */
export function reasonsOf(reasons: readonly SendReason[]): Reason[] {
  const once = new Map(reasons.map((reason) => [`${reason.ref ?? ''}|${reason.text}`, reason]));
  return [...once.values()].slice(0, REASONS_MAX).map(({ code, text, ref }) => ({
    code,
    text: text.slice(0, REASON_CHARS_MAX),
    ...(ref === undefined ? {} : { ref }),
  }));
}

/** Every grant that we record was given in so many words; consent that law implies is not recorded yet. */
export function consentEvidenceOf(
  { grantedAt }: GrantRegister,
  lastUsedAt: string | undefined,
  lastActAt: string | undefined,
): ConsentEvidence {
  return {
    basis: 'express',
    grantedAt: Date.parse(grantedAt),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: Date.parse(lastUsedAt) }),
    ...(lastActAt === undefined ? {} : { lastActAt: Date.parse(lastActAt) }),
  };
}

/** An ask or a receipt serves no purpose of its own: nothing was agreed to that its category could exceed. */
function contentOf({ template, purpose, sender }: GateFacts): MessageContent | undefined {
  if (template === undefined) return undefined;
  const { category, language, body, buttons = [] } = template;
  return {
    templateCategory: category,
    purposeCategory: purpose?.category ?? category,
    language,
    body,
    buttons: buttons.map(({ text, optsOut }) => ({ text, ...(optsOut === undefined ? {} : { optsOut }) })),
    ...(sender === undefined ? {} : { senderName: sender.displayName }),
  };
}
