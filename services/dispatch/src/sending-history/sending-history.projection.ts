import type { RecordedEvent } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import type { Attempt } from '@assent/send-rules';

/** What caps look back on at most: 31 days, and one more for clocks of earlier owners. */
const LOOK_BACK_MS = 32 * 86_400_000;
/** Attempts to one person in that time; more than any cap allows, so the oldest are only dropped where nothing caps. */
const ATTEMPTS_MAX = 1_000;

/** What was sent to one person, as far as caps and the life of a consent count it. */
export interface SendingHistoryDocument extends ProjectedDocument {
  readonly tenant: string;
  /** Attempts of the last 31 days before the newest one, in the order of the log. */
  readonly attempts: readonly Attempt[];
  /** By purpose, RFC 3339: the newest message that WhatsApp took and that relied on consent for it. */
  readonly lastUsedAt: Readonly<Record<string, string>>;
}

/** One document per person: dispatch.events is keyed by the person, so the log's order is the order of intents. */
export const sendingHistoryFold: Fold<SendingHistoryDocument> = {
  collection: 'sending_histories',
  topics: ['dispatch.events'],
  idsOf: (event) => {
    switch (event.type) {
      case 'dispatch.attempt-intended.v1':
      case 'dispatch.attempt-sent.v1':
      case 'dispatch.attempt-failed.v1':
      case 'dispatch.attempt-unknown.v1':
      case 'dispatch.attempt-abandoned.v1':
        return [event.data.subjectId];
      default:
        return [];
    }
  },
  evolve: (document, event, id) => {
    const before = document ?? { _id: id, tenant: event.tenant, attempts: [], lastUsedAt: {} };
    // A person belongs to one tenant; what another one says of that id is not about them.
    return before.tenant === event.tenant ? evolveHistory(before, event) : before;
  },
};

function evolveHistory(before: SendingHistoryDocument, event: RecordedEvent): SendingHistoryDocument {
  switch (event.type) {
    case 'dispatch.attempt-intended.v1':
      return intended(before, event);
    case 'dispatch.attempt-sent.v1': {
      const { attemptId, purposeId } = event.data;
      const sent = ended(before, attemptId, 'sent');
      const isNewer = purposeId !== undefined && (before.lastUsedAt[purposeId] ?? '') < event.time;
      return isNewer ? { ...sent, lastUsedAt: { ...sent.lastUsedAt, [purposeId]: event.time } } : sent;
    }
    case 'dispatch.attempt-failed.v1':
      return ended(before, event.data.attemptId, 'failed');
    case 'dispatch.attempt-unknown.v1':
      return ended(before, event.data.attemptId, 'unknown');
    case 'dispatch.attempt-abandoned.v1':
      return ended(before, event.data.attemptId, 'abandoned');
    default:
      return before;
  }
}

function intended(
  before: SendingHistoryDocument,
  { data }: Extract<RecordedEvent, { type: 'dispatch.attempt-intended.v1' }>,
): SendingHistoryDocument {
  const { attemptId, decidedAt, purposeId, senderId } = data;
  if (before.attempts.some((attempt) => attempt.attemptId === attemptId)) return before;
  const attempt: Attempt = {
    attemptId,
    at: Date.parse(decidedAt),
    class: data.class,
    // Intents of before this field was recorded count as what is capped most.
    category: data.category ?? 'marketing',
    ...(purposeId === undefined ? {} : { purposeId }),
    senderId,
    outcome: 'intended',
  };
  const recent = before.attempts.filter(({ at }) => at > attempt.at - LOOK_BACK_MS);
  return { ...before, attempts: [...recent, attempt].slice(-ATTEMPTS_MAX) };
}

/** What is known to have been sent stays so, whatever a replaced owner writes later. */
function ended(before: SendingHistoryDocument, attemptId: string, outcome: Attempt['outcome']): SendingHistoryDocument {
  const attempts = before.attempts.map((attempt) =>
    attempt.attemptId === attemptId && (attempt.outcome === 'intended' || attempt.outcome === 'unknown')
      ? { ...attempt, outcome }
      : attempt,
  );
  return { ...before, attempts };
}
