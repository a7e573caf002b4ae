import { type CallRecord, fieldsOf, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/** What is known of a message outside of the product. Hours are local, whole, `to` excluded. */
export interface Appointment {
  readonly dispatchId: string;
  /** Not before, epoch ms. */
  readonly dueAtMs: number;
  /** Zone of the person; an offset of whole hours, so that its clock is plain arithmetic. */
  readonly hoursAhead: number;
  readonly hours: { readonly from: number; readonly to: number };
}

/** By how much two machines may disagree before one of them holds back. */
const ALLOWANCE_MS = 5_000;
const HOUR_MS = 3_600_000;

/**
 * By the provider's clock, which is right: no message left before its time or outside of the person's hours; and none of
 * those that are due before `lostAfterMs` (epoch ms) is missing or was refused.
 */
export function sentInTime(
  appointments: readonly Appointment[],
  calls: readonly CallRecord[],
  records: readonly RawRecord[],
  lostAfterMs: number,
): Violation[] {
  const refused = new Set(
    records
      .filter((record) => typeOf(record) === 'dispatch.refused.v1')
      .map((record) => textAt(fieldsOf(record), 'dispatchId')),
  );
  return appointments.flatMap((appointment) => {
    const { dispatchId } = appointment;
    const own = calls.filter(({ bizOpaqueCallbackData: data }) => data?.split('.')[1] === dispatchId);
    const early = own
      .filter(({ receivedAtMs }) => !isAllowed(appointment, receivedAtMs))
      .map(() => leftEarly(appointment));
    if (refused.has(dispatchId)) return [...early, { invariant: 'clock', what: `${dispatchId} was refused` }];
    const isOwed = own.length === 0 && appointment.dueAtMs < lostAfterMs && isAllowed(appointment, lostAfterMs);
    return isOwed ? [...early, { invariant: 'clock', what: `${dispatchId} was due and did not leave` }] : early;
  });
}

/** At any instant within the allowance. */
function isAllowed({ dueAtMs, hoursAhead, hours }: Appointment, atMs: number): boolean {
  const isOpen = (at: number): boolean => {
    const hour = Math.floor(at / HOUR_MS + hoursAhead) % 24;
    return hour >= hours.from && hour < hours.to;
  };
  return atMs >= dueAtMs - ALLOWANCE_MS && (isOpen(atMs - ALLOWANCE_MS) || isOpen(atMs + ALLOWANCE_MS));
}

function leftEarly({ dispatchId }: Appointment): Violation {
  return { invariant: 'clock', what: `${dispatchId} left before its time or outside of the person's hours` };
}
