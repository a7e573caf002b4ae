import type {
  Category,
  DispatchCause,
  DispatchClass,
  Reason,
  RecordedEvent,
  Schedule,
  TemplateRef,
} from '@assent/contracts';
import { formatPosition } from '@assent/contracts';

/**
 * - `planned`: due at `dueAt`; the gate decides then.
 * - `held`: may not leave now; looked at again at `retryAt`, or when a person acts.
 * - `attempting`: an intent is in the log and its outcome is not.
 * - `sent` … `read`: WhatsApp took it; the statuses of its webhooks.
 * - `unknown`: nobody knows whether the call reached WhatsApp; never sent again by itself.
 * - `failed`, `refused`, `cancelled`: final.
 */
export type DispatchStatus =
  'planned' | 'held' | 'attempting' | 'sent' | 'delivered' | 'read' | 'unknown' | 'failed' | 'refused' | 'cancelled';

export interface AttemptRecord {
  readonly attemptId: string;
  readonly outcome: 'intended' | 'abandoned' | 'sent' | 'failed' | 'unknown';
  readonly decidedAt: string;
  readonly messageId?: string;
  readonly retryable?: boolean;
  readonly errorCode?: number;
}

/** One dispatch as dispatch.events tells it. Plain JSON; nothing in it names a person but by pseudonym or sealed. */
export interface DispatchState {
  readonly dispatchId: string;
  readonly tenant: string;
  readonly status: DispatchStatus;
  readonly class: DispatchClass;
  readonly cause?: DispatchCause;
  readonly subjectId?: string;
  readonly addressKey?: string;
  readonly purposeId?: string;
  readonly category?: Category;
  readonly senderId?: string;
  readonly template?: TemplateRef;
  readonly sealedParameters?: string;
  readonly sealedConfirmation?: string;
  readonly schedule?: Schedule;
  readonly expiresAt?: string;
  readonly requestId?: string;
  readonly acceptedAt?: string;
  readonly dueAt?: string;
  readonly retryAt?: string;
  /** True while it is planned later than was asked for, because of the rules. */
  readonly isDelayed?: true;
  readonly reasons: readonly Reason[];
  /** The newest ones, oldest first; never more than ATTEMPTS_KEPT_MAX. */
  readonly attempts: readonly AttemptRecord[];
  readonly attemptCount: number;
  /** Where each of its events stands, in order: the trail an auditor follows. */
  readonly trail: readonly { readonly type: string; readonly position: string }[];
}

/** Retries are bounded far below this (see send-due-dispatches); it only bounds the document. */
export const ATTEMPTS_KEPT_MAX = 20;
/** A dispatch that is held and planned again and again keeps the newest part of its trail; the log has all of it. */
export const TRAIL_KEPT_MAX = 200;

const FINAL: ReadonlySet<DispatchStatus> = new Set(['failed', 'refused', 'cancelled']);
/** What only WhatsApp can tell. */
const TOLD_BY_STATUS: ReadonlySet<DispatchStatus> = new Set(['sent', 'delivered', 'read']);
/** Statuses arrive in any order; a message only moves forward along this. Source: WhatsApp webhooks, statuses. */
const DELIVERY_ORDER: readonly DispatchStatus[] = ['attempting', 'unknown', 'sent', 'delivered', 'read'];

/** Outcomes of an attempt whose message is, or may be, at the provider. */
const MAY_CALL: ReadonlySet<AttemptRecord['outcome']> = new Set(['intended', 'sent', 'unknown']);

export function isFinal(status: DispatchStatus): boolean {
  return FINAL.has(status);
}

/** True when the message is, or may be, at the provider: it is not sent again and can't be cancelled. */
export function mayBeAtProvider(state: DispatchState): boolean {
  return DELIVERY_ORDER.includes(state.status);
}

/** Ids of its attempts that provably left nothing at the provider: no call was made, or WhatsApp said no. */
export function attemptsThatCameToNothing({ attempts }: DispatchState): readonly string[] {
  return attempts.filter(({ outcome }) => !MAY_CALL.has(outcome)).map(({ attemptId }) => attemptId);
}

/**
 * Folds one event of dispatch.events into the dispatch it is about; events about other dispatches, and repeats of
 * `dispatch.accepted.v1`, change nothing but the trail. Pure.
 */
export function evolveDispatch(state: DispatchState | undefined, event: RecordedEvent): DispatchState | undefined {
  const next = applyEvent(state, event);
  if (next === undefined || next === state) return next;
  const trail = [...(state?.trail ?? []), { type: event.type, position: formatPosition(event.position) }];
  return { ...next, trail: trail.slice(-TRAIL_KEPT_MAX) };
}

function applyEvent(state: DispatchState | undefined, event: RecordedEvent): DispatchState | undefined {
  switch (event.type) {
    case 'dispatch.accepted.v1':
      return state ?? accepted(event);
    case 'dispatch.refused.v1':
      return refused(state, event);
    case 'dispatch.planned.v1':
      return whileOpen(
        state,
        {
          status: 'planned',
          dueAt: event.data.dueAt,
          reasons: event.data.reasons,
          ...(event.data.gate?.verdict === 'hold' ? { isDelayed: true as const } : {}),
        },
        ['retryAt', 'isDelayed'],
      );
    case 'dispatch.held.v1':
      return whileOpen(
        state,
        {
          status: 'held',
          reasons: event.data.reasons,
          ...(event.data.retryAt === undefined ? {} : { retryAt: event.data.retryAt }),
        },
        ['dueAt', 'isDelayed', ...(event.data.retryAt === undefined ? (['retryAt'] as const) : [])],
      );
    case 'dispatch.cancelled.v1':
      return whileOpen(state, { status: 'cancelled', reasons: [event.data.reason] }, ['dueAt', 'retryAt', 'isDelayed']);
    case 'dispatch.attempt-intended.v1':
      return intended(state, event.data.attemptId, event.data.decidedAt);
    case 'dispatch.attempt-abandoned.v1':
      return outcome(state, event.data.attemptId, { outcome: 'abandoned' }, 'planned', [event.data.reason]);
    case 'dispatch.attempt-sent.v1':
      return outcome(state, event.data.attemptId, { outcome: 'sent', messageId: event.data.messageId }, 'sent', []);
    case 'dispatch.attempt-failed.v1':
      return attemptFailed(state, event.data);
    case 'dispatch.attempt-unknown.v1':
      return outcome(state, event.data.attemptId, { outcome: 'unknown' }, 'unknown', [event.data.reason]);
    case 'dispatch.status-recorded.v1':
      return statusRecorded(state, event.data);
    default:
      return state;
  }
}

type EventOf<T extends RecordedEvent['type']> = Extract<RecordedEvent, { type: T }>;

function accepted({ data, tenant, time }: EventOf<'dispatch.accepted.v1'>): DispatchState {
  return {
    dispatchId: data.dispatchId,
    tenant,
    status: 'held',
    class: data.class,
    cause: data.cause,
    subjectId: data.subjectId,
    addressKey: data.addressKey,
    ...(data.purposeId === undefined ? {} : { purposeId: data.purposeId }),
    category: data.category,
    senderId: data.senderId,
    template: data.template,
    ...(data.sealedParameters === undefined ? {} : { sealedParameters: data.sealedParameters }),
    ...(data.sealedConfirmation === undefined ? {} : { sealedConfirmation: data.sealedConfirmation }),
    schedule: data.schedule,
    expiresAt: data.expiresAt,
    ...(data.requestId === undefined ? {} : { requestId: data.requestId }),
    acceptedAt: time,
    reasons: [],
    attempts: [],
    attemptCount: 0,
    trail: [],
  };
}

function refused(state: DispatchState | undefined, { data, tenant }: EventOf<'dispatch.refused.v1'>): DispatchState {
  if (state !== undefined)
    return whileOpen(state, { status: 'refused', reasons: data.reasons }, ['dueAt', 'retryAt', 'isDelayed']) ?? state;
  return {
    dispatchId: data.dispatchId,
    tenant,
    status: 'refused',
    class: data.class,
    ...(data.subjectId === undefined ? {} : { subjectId: data.subjectId }),
    ...(data.addressKey === undefined ? {} : { addressKey: data.addressKey }),
    ...(data.purposeId === undefined ? {} : { purposeId: data.purposeId }),
    ...(data.requestId === undefined ? {} : { requestId: data.requestId }),
    reasons: data.reasons,
    attempts: [],
    attemptCount: 0,
    trail: [],
  };
}

/** Plans, holds and cancellations count only while nothing is, or may be, at the provider and nothing is final. */
function whileOpen(
  state: DispatchState | undefined,
  change: Partial<DispatchState>,
  dropped: readonly ('dueAt' | 'retryAt' | 'isDelayed')[],
): DispatchState | undefined {
  if (state === undefined || isFinal(state.status) || mayBeAtProvider(state)) return state;
  const kept = Object.fromEntries(
    Object.entries(state).filter(([name]) => !(dropped as readonly string[]).includes(name)),
  ) as unknown as DispatchState;
  return { ...kept, ...change };
}

function intended(state: DispatchState | undefined, attemptId: string, decidedAt: string): DispatchState | undefined {
  if (state === undefined || state.attempts.some((attempt) => attempt.attemptId === attemptId)) return state;
  const attempts = [...state.attempts, { attemptId, outcome: 'intended' as const, decidedAt }].slice(
    -ATTEMPTS_KEPT_MAX,
  );
  // An owner that was replaced may write its intent late. It does not call any more, so what is known already stays.
  const status = isFinal(state.status) || isKnownAtProvider(state) ? state.status : 'attempting';
  const { isDelayed: _past, ...rest } = state;
  return { ...rest, status, attempts, attemptCount: state.attemptCount + 1 };
}

function isKnownAtProvider({ status }: DispatchState): boolean {
  return status !== 'attempting' && DELIVERY_ORDER.includes(status);
}

function outcome(
  state: DispatchState | undefined,
  attemptId: string,
  change: Partial<AttemptRecord>,
  status: DispatchStatus,
  reasons: readonly Reason[],
): DispatchState | undefined {
  if (state === undefined) return state;
  const known = state.attempts.find((attempt) => attempt.attemptId === attemptId);
  if (known === undefined || !['intended', 'unknown'].includes(known.outcome)) return state;
  const attempts = state.attempts.map((attempt) => (attempt === known ? { ...attempt, ...change } : attempt));
  return tellsMore(state, attemptId, status) ? { ...state, attempts, status, reasons } : { ...state, attempts };
}

/**
 * Whether the outcome of an attempt changes what is known of the dispatch. A status webhook may have told more than the
 * reply of the call does; and an attempt that came to nothing says nothing about another one that may have called.
 */
function tellsMore(state: DispatchState, attemptId: string, status: DispatchStatus): boolean {
  if (TOLD_BY_STATUS.has(state.status) || state.status === 'failed') return false;
  if (status === 'sent' || status === 'unknown') return true;
  return !isFinal(state.status) && !state.attempts.some((a) => a.attemptId !== attemptId && MAY_CALL.has(a.outcome));
}

function attemptFailed(
  state: DispatchState | undefined,
  data: EventOf<'dispatch.attempt-failed.v1'>['data'],
): DispatchState | undefined {
  const text =
    data.errorCode === undefined ? 'The provider refused it.' : `The provider refused it with ${data.errorCode}.`;
  return outcome(
    state,
    data.attemptId,
    {
      outcome: 'failed',
      retryable: data.retryable,
      ...(data.errorCode === undefined ? {} : { errorCode: data.errorCode }),
    },
    data.retryable ? 'planned' : 'failed',
    [{ code: data.errorClass, text }],
  );
}

/** A status that carries our attempt id proves that the call arrived, whatever we knew before. */
function statusRecorded(
  state: DispatchState | undefined,
  data: EventOf<'dispatch.status-recorded.v1'>['data'],
): DispatchState | undefined {
  if (state === undefined || !state.attempts.some((attempt) => attempt.attemptId === data.attemptId)) return state;
  if (data.status === 'failed') {
    if (state.status === 'delivered' || state.status === 'read') return state;
    const code = data.errorCode;
    const text = code === undefined ? 'WhatsApp could not deliver it.' : `WhatsApp could not deliver it (${code}).`;
    return { ...state, status: 'failed', reasons: [{ code: 'not-delivered', text }] };
  }
  const told: DispatchStatus = data.status === 'played' ? 'read' : data.status;
  if (state.status === 'failed') {
    return told === 'sent' ? state : { ...state, status: told, reasons: [] };
  }
  const moves = DELIVERY_ORDER.indexOf(told) > DELIVERY_ORDER.indexOf(state.status);
  return moves ? { ...state, status: told, reasons: [] } : state;
}
