import type { RecordedEvent } from '@assent/contracts';
import { evolveConsent, initialConsentState, type ConsentState } from './consent.state.ts';
import { instantMs } from './instants.ts';
import { InvalidInstantError } from './withdrawal-effective-at.ts';

/**
 * What was known at an instant of recorded time: the fold of the facts whose `recordedAt` is not later.
 *
 * @param facts of one subject, in any order
 * @param recordedAt RFC 3339 time, inclusive
 * @throws InvalidInstantError when `recordedAt`, or that of a fact, cannot be read
 */
export function stateAsOf(facts: Iterable<RecordedEvent>, recordedAt: string): ConsentState {
  const asOfMs = recordedMs(recordedAt);
  let state = initialConsentState;
  for (const fact of facts) {
    if (recordedMs(fact.recordedAt) <= asOfMs) state = evolveConsent(state, fact);
  }
  return state;
}

function recordedMs(time: string): number {
  const ms = instantMs(time, Number.NaN);
  if (Number.isNaN(ms)) throw new InvalidInstantError('recordedAt is not an RFC 3339 time');
  return ms;
}
