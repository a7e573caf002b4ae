import type { AnyEvent, Reason } from '@assent/contracts';

/** What an event says, in a sentence for people. No personal data: ids, codes and the reasons' own texts only. */
export function eventSentence(event: Pick<AnyEvent, 'type' | 'data'>): string {
  const known = Object.hasOwn(SENTENCES, event.type);
  const sentence = known ? (SENTENCES[event.type] as (data: never) => string) : undefined;
  return sentence === undefined ? `An event of type ${event.type}.` : sentence(event.data as never);
}

type Sentences = { [T in AnyEvent['type']]?: (data: Extract<AnyEvent, { type: T }>['data']) => string };

const CLASSES = {
  message: 'a message',
  'opt-in-ask': 'the question whether the person wants to opt in',
  'withdrawal-receipt': 'the receipt of a withdrawal',
};

const SENTENCES: Sentences = {
  'dispatch.accepted.v1': (d) =>
    `Accepted: ${CLASSES[d.class]}${d.purposeId === undefined ? '' : ` for the purpose ${d.purposeId}`}, template ${d.template.name}, from sender ${d.senderId}, asked for by ${d.requestedBy}.`,
  'dispatch.refused.v1': (d) => `Refused. ${reasons(d.reasons)}`,
  'dispatch.planned.v1': (d) => `Planned for ${d.dueAt}. ${reasons(d.reasons)}`.trim(),
  'dispatch.held.v1': (d) =>
    `Held${d.retryAt === undefined ? '' : ` until ${d.retryAt}`}. ${reasons(d.reasons)}`.trim(),
  'dispatch.cancelled.v1': (d) => `Cancelled. ${d.reason.text}`,
  'dispatch.attempt-intended.v1': (d) =>
    `The gate answered "${d.gate.verdict}" at ${d.decidedAt}, having waited for ${count(d.gate.positions)} logs; the attempt was recorded before the call.`,
  'dispatch.attempt-abandoned.v1': (d) => `The call was not begun. ${d.reason.text}`,
  'dispatch.attempt-sent.v1': (d) => `WhatsApp took the message; the call began ${d.checkToCallMs} ms after the check.`,
  'dispatch.attempt-failed.v1': (d) =>
    `WhatsApp refused the call (${d.errorClass}${d.errorCode === undefined ? '' : `, error ${d.errorCode}`}); ${d.retryable ? 'it may be tried again' : 'it is not tried again'}.`,
  'dispatch.attempt-unknown.v1': (d) =>
    `It is not known whether the message left; it is not sent again. ${d.reason.text}`,
  'dispatch.status-recorded.v1': (d) =>
    `WhatsApp reported "${d.status}" at ${d.statusAt}${d.errorCode === undefined ? '' : `, error ${d.errorCode}`}.`,
  'consent.requested.v1': (d) =>
    `Consent was asked for: ${d.purposeIds.join(', ')}, notice ${d.noticeId} version ${d.noticeVersion}, by ${d.method}.`,
  'consent.granted.v1': (d) =>
    `Consent was given (${d.basis}): ${d.purposeIds.join(', ')}, notice ${d.noticeId} version ${d.noticeVersion}, requested at ${d.requestedAt}.`,
  'consent.withdrawn.v1': (d) =>
    `Consent was withdrawn by ${d.method} for ${'id' in d.scope ? `${d.scope.kind} ${d.scope.id}` : 'everything'}, effective at ${d.effectiveAt}.`,
  'consent.resumed.v1': (d) => `The platform ended its own stop at ${d.occurredAt}.`,
  'suppression.cause-added.v1': (d) => `The address was suppressed (${d.kind}) since ${d.since}.`,
  'suppression.cause-lifted.v1': (d) => `${d.causeIds.length} causes of suppression were lifted.`,
};

function reasons(list: readonly Reason[]): string {
  return list.map(({ text }) => text).join(' ');
}

function count(positions: Readonly<Record<string, number>>): number {
  return Object.keys(positions).length;
}
