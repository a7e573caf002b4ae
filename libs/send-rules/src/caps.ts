import type { CapRule } from './rule.ts';
import { isAbout } from './rules-in-force.ts';
import type { Attempt, RecipientWishes, SendQuestion } from './send-question.ts';

const HOUR_MS = 3_600_000;

/** How a cap stands. */
export interface CapStanding {
  /** Attempts in the window that ends at the instant asked about. */
  readonly count: number;
  /** The earliest instant, epoch ms, from which the cap leaves room; in the past when it does already. */
  readonly freeFrom: number;
}

/** The standing of a rule's cap at an instant, from the subject's attempts so far. */
export function capStanding(rule: CapRule, question: SendQuestion, at: number): CapStanding {
  const counted = question.attempts.filter(
    (attempt) =>
      costs(attempt) &&
      isAbout(rule, attempt) &&
      (!rule.per.includes('purpose') || attempt.purposeId === question.purposeId) &&
      (!rule.per.includes('sender') || attempt.senderId === question.senderId),
  );
  return standing(counted, rule, question.at, at);
}

/** The standing of the person's own wish, which counts everything but receipts, whoever sends it. */
export function wishStanding(
  frequency: NonNullable<RecipientWishes['frequency']>,
  question: SendQuestion,
  at: number,
): CapStanding {
  return standing(question.attempts.filter(costs), frequency, question.at, at);
}

/** A window is half-open: an attempt has left it `windowHours` after it was decided, on the millisecond. */
function standing(
  attempts: readonly Attempt[],
  cap: { readonly attemptsMax: number; readonly windowHours: number },
  asked: number,
  at: number,
): CapStanding {
  const windowMs = cap.windowHours * HOUR_MS;
  // An attempt that another clock dates after the question counts as made when it was asked.
  const instants = attempts.map((attempt) => Math.min(attempt.at, asked)).sort((a, b) => b - a);
  const lastToLeave = instants[cap.attemptsMax - 1];
  return {
    count: instants.filter((instant) => instant > at - windowMs).length,
    freeFrom: lastToLeave === undefined ? -Infinity : lastToLeave + windowMs,
  };
}

function costs(attempt: Attempt): boolean {
  return attempt.class !== 'withdrawal-receipt' && attempt.outcome !== 'failed' && attempt.outcome !== 'abandoned';
}
