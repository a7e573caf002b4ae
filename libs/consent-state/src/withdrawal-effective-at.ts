import { instantMs } from './instants.ts';

/**
 * How far two honest clocks may lie apart, in milliseconds. A constant, not a setting: it is part of the stored
 * `effectiveAt`, and gateways, WhatsApp and our own hosts keep time by NTP to well under a second.
 */
export const SKEW_ALLOWANCE_MS = 5_000;

/** The clock tick of WhatsApp: its webhooks stamp whole seconds. */
export const WHATSAPP_TICK_MS = 1_000;

/** The clock tick of our own stamps. */
export const MILLISECOND_TICK_MS = 1;

export class InvalidInstantError extends Error {
  readonly code = 'invalid-instant';
  override readonly name = 'InvalidInstantError';
}

/**
 * The instant from which on a withdrawal is outrun by nothing but a later proven grant: the end of the tick of the
 * source's clock in which it happened, plus `SKEW_ALLOWANCE_MS`.
 *
 * @param occurredAt RFC 3339 time as the source stamped it (a future one is clamped by the caller beforehand)
 * @param tickMs length of a tick of the source's clock in whole milliseconds, at least 1
 * @returns RFC 3339 UTC with milliseconds, to be stored in the event
 * @throws InvalidInstantError when the time or the tick cannot be read
 */
export function withdrawalEffectiveAt(occurredAt: string, tickMs: number): string {
  const occurredMs = instantMs(occurredAt, Number.NaN);
  if (Number.isNaN(occurredMs)) throw new InvalidInstantError('occurredAt is not an RFC 3339 time');
  if (!Number.isSafeInteger(tickMs) || tickMs < 1)
    throw new InvalidInstantError('tickMs is not a whole number above 0');
  const tickEndMs = Math.floor(occurredMs / tickMs) * tickMs + tickMs;
  return new Date(tickEndMs + SKEW_ALLOWANCE_MS).toISOString();
}
