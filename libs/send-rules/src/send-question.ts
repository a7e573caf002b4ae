import type { DispatchClass, Jurisdiction, LocalWindow, RuleSet, RuleSource, SendCategory } from './rule.ts';

/** What tells where a recipient is. Everything is optional; what is absent widens the candidates. */
export interface RecipientEvidence {
  /** IANA zone and ISO 3166 region (`US-FL`, `DE`) that the person declared. */
  readonly declaredZone?: string;
  readonly declaredRegion?: Jurisdiction;
  /** E.164 or a wa_id; a leading `+` is optional. */
  readonly phone?: string;
  /** ISO 3166 country in front of a business-scoped user id (`US.1349…`). */
  readonly bsuidCountry?: string;
}

/** The person's own wishes; they only ever narrow. */
export interface RecipientWishes {
  /** Every day, local time, nothing may arrive; may pass midnight (`22:00` to `08:00`). */
  readonly quietHours?: LocalWindow;
  readonly frequency?: { readonly attemptsMax: number; readonly windowHours: number };
}

/** An earlier attempt to the same subject, as far as caps count it. */
export interface Attempt {
  readonly attemptId: string;
  /** Epoch ms at which it was decided. */
  readonly at: number;
  readonly class: DispatchClass;
  readonly category: SendCategory;
  readonly purposeId?: string;
  readonly senderId: string;
  /**
   * `intended`, `sent` and `unknown` cost one. `failed`, which the caller says only with a reason that proves that nothing
   * reached the person, and `abandoned` before the call are given back. Receipts of a withdrawal never count.
   */
  readonly outcome: 'intended' | 'sent' | 'unknown' | 'failed' | 'abandoned';
}

/** What consent life counts from; epoch ms. */
export interface ConsentEvidence {
  readonly basis: 'express' | 'implied-purchase' | 'implied-enquiry';
  readonly grantedAt: number;
  /** The last message that relied on it. */
  readonly lastUsedAt?: number;
  /** The person's own last act towards the sender: a message, a click, a preference. */
  readonly lastActAt?: number;
  /** Consent for hours outside the windows, where a rule knows one. */
  readonly night?: boolean;
  readonly slots?: readonly { readonly from: number; readonly to: number }[];
}

/** What the message would say, before parameters are filled in (never personal data). */
export interface MessageContent {
  readonly templateCategory: SendCategory;
  readonly purposeCategory: SendCategory;
  readonly language: string;
  readonly body: string;
  readonly footer?: string;
  readonly buttons: readonly { readonly text: string; readonly url?: string; readonly optsOut?: boolean }[];
  /** The name under which the person knows the sender. */
  readonly senderName?: string;
}

/** Nothing leaves to recipients who may be there: an emergency, a state's holiday, a region in mourning. */
export interface Blackout {
  readonly id: string;
  /** `*` is everywhere. */
  readonly jurisdictions: readonly Jurisdiction[];
  /** Epoch ms; the first included, the second not; open-ended when absent. */
  readonly from: number;
  readonly until?: number;
  readonly categories?: readonly SendCategory[];
  readonly reason: string;
}

/** A day that the operator adds to, or takes from, the calendar: moon-sighted, proclaimed, moved. */
export interface HolidayEntry {
  readonly jurisdiction: Jurisdiction;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly holiday: boolean;
  readonly name: string;
}

/** May this message reach this person at this instant? */
export interface SendQuestion {
  /** Epoch ms. */
  readonly at: number;
  readonly recipient: RecipientEvidence;
  readonly wishes?: RecipientWishes;
  readonly senderId: string;
  readonly purposeId?: string;
  readonly class: DispatchClass;
  readonly category: SendCategory;
  /** For an opt-in ask: whether the person's own message from that address started it. */
  readonly selfStarted?: boolean;
  /** Attempts to the subject in the last 31 days, in any order. */
  readonly attempts: readonly Attempt[];
  readonly consent?: ConsentEvidence;
  readonly content?: MessageContent;
  readonly ruleSet: RuleSet;
  readonly holidays: readonly HolidayEntry[];
  readonly blackouts: readonly Blackout[];
}

/** A rule that took part: a code for machines, words for people without personal data, a key and its parameters for other languages. */
export interface SendReason {
  readonly code: string;
  readonly text: string;
  readonly params: Readonly<Record<string, string | number>>;
  /** The rule: `<rule set id>@<version>#<rule id>`. */
  readonly ref?: string;
  readonly sources?: readonly RuleSource[];
}

/**
 * - `allow`: it may leave at `at` and at any instant before `until`.
 * - `hold`: not now; `until` is the earliest instant at which everything allows.
 * - `review`: a person has to look; nothing is guessed.
 * - `refuse`: waiting does not help (lapsed consent, content that does not fit).
 */
export type SendVerdict =
  | { readonly verdict: 'allow'; readonly until: number; readonly reasons: readonly SendReason[] }
  | { readonly verdict: 'hold'; readonly until: number; readonly reasons: readonly SendReason[] }
  | { readonly verdict: 'review'; readonly reasons: readonly SendReason[] }
  | { readonly verdict: 'refuse'; readonly reasons: readonly SendReason[] };

/** Versions of everything but the rule set that an answer rests on; constants of this build. */
export interface SendRulesVersions {
  /** tz database release, such as `2026f`. */
  readonly tzdb: string;
  /** Phone prefixes → zones and regions. */
  readonly phoneData: string;
  /** The holiday library and its version. */
  readonly holidays: string;
}
