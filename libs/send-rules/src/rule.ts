/** The classes of a dispatch (topic dispatch.events). */
export type DispatchClass = 'message' | 'opt-in-ask' | 'withdrawal-receipt';
/** The platform's template categories, and `service` for free text in an open service window. */
export type SendCategory = 'marketing' | 'utility' | 'authentication' | 'service';

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
/** Local wall times `HH:MM`, the first included, the second not; `24:00` is the end of the day. */
export type LocalWindow = readonly [from: string, to: string];

/**
 * Whose rule it is: `US`, `US-FL` (ISO 3166-1, ISO 3166-2); `*` holds for everybody; `default` holds where no other
 * rule of its kind is in force, and where nothing is known about the recipient.
 */
export type Jurisdiction = string;

/**
 * How well a rule rests. A row is in force by itself only with an `official` source (regulator, statute) or a `legal`
 * one (law firm, legal press). On `news`, `vendor` and `background` alone it stays in shadow: the stricter default holds in
 * its place until an operator signs it off. `own` is Assent's or the tenant's own choice and always in force; a rule
 * that rests on `own` alone only ever narrows: it holds beside the law's rows, or beside the default where there are
 * none, and never takes the default's place (a Friday block: every other day 00:00 to 24:00).
 */
export interface RuleSource {
  readonly kind: 'official' | 'legal' | 'news' | 'vendor' | 'background' | 'own';
  /** Law and paragraph, or publisher and page. */
  readonly reference: string;
}

/** What every rule says about itself. */
export interface RuleFrame {
  /** Unique in a rule set; kebab-case, begins with the jurisdiction: `us-fl-hours`. */
  readonly id: string;
  readonly jurisdiction: Jurisdiction;
  /** What the rule was written for. Most hours were written for calls or SMS and are applied to WhatsApp by prudence. */
  readonly channel: 'whatsapp' | 'any-electronic' | 'sms' | 'voice';
  readonly status: 'active' | 'shadow';
  /** The classes, categories and purposes that the rule is about; all of them when absent. */
  readonly classes?: readonly DispatchClass[];
  readonly categories?: readonly SendCategory[];
  readonly purposes?: readonly string[];
  /** Local dates `YYYY-MM-DD` between which the law applies: the first included, the second not. */
  readonly appliesFrom?: string;
  readonly appliesUntil?: string;
  readonly sources: readonly RuleSource[];
  /** Date on which somebody last compared the row with its sources. */
  readonly verifiedOn: string;
  readonly confidence: 'high' | 'medium' | 'low';
  /** What counsel should know or check: conflicts between sources, exemptions left out. */
  readonly note?: string;
}

/** When something may leave, in the recipient's local time. A weekday that is not named allows nothing. */
export interface WindowsRule extends RuleFrame {
  readonly kind: 'windows';
  readonly weekdays: Readonly<Partial<Record<Weekday, readonly LocalWindow[]>>>;
  /** On a public holiday of the jurisdiction: as on any such weekday, as on a Sunday, nothing, or hours of their own. */
  readonly holidays: 'as-weekday' | 'as-sunday' | 'closed' | readonly LocalWindow[];
  /** On the day before a public holiday; as on any such weekday when absent (Italy has hours for it). A weekday without hours has none on an eve either. */
  readonly holidayEves?: readonly LocalWindow[];
  /**
   * Consent of its own that opens hours outside the windows: `night` (Korea: consent for the night), `slot` (France: a
   * date and time that the person asked for). Without that consent the windows hold.
   */
  readonly openedBy?: 'night' | 'slot';
  /** The IANA zone whose clock the hours are told by, where the law names one (Mississippi); else the recipient's. */
  readonly zone?: string;
}

/** At most so many attempts in any window of that length (rolling, in instants), counted per subject and what `per` adds. */
export interface CapRule extends RuleFrame {
  readonly kind: 'cap';
  readonly attemptsMax: number;
  readonly windowHours: number;
  readonly per: readonly ('purpose' | 'sender')[];
}

/** How long consent lasts. Lapsed: ask again, do not send. */
export interface ConsentLifeRule extends RuleFrame {
  readonly kind: 'consent-life';
  readonly basis: 'express' | 'implied-purchase' | 'implied-enquiry';
  /** `grant`: from the grant or its re-confirmation; `last-use`: from the last message that relied on it; `last-act`: from the person's own last act (a click counts, a read receipt does not). */
  readonly countsFrom: 'grant' | 'last-use' | 'last-act';
  readonly monthsMax: number;
}

/** What a message of a category has to say or carry. */
export interface ContentRule extends RuleFrame {
  readonly kind: 'content';
  readonly requires: 'sender-named' | 'opt-out-hint' | 'advertising-label';
  /** For `advertising-label`: the label the text has to begin with, such as `(광고)`. */
  readonly label?: string;
}

export type Rule = WindowsRule | CapRule | ConsentLifeRule | ContentRule;

/** `libs/send-rules/rules/<jurisdiction>.json`: everything we know about one country, its parts included. */
export interface JurisdictionFile {
  readonly jurisdiction: Jurisdiction;
  readonly name: string;
  /** Territories with an ISO 3166 code of their own in which this country's law holds (`PR` for the US). */
  readonly covers?: readonly string[];
  readonly rules: readonly Rule[];
  /** Newest first. */
  readonly changelog: readonly { readonly date: string; readonly change: string }[];
}

/**
 * What may leave at any hour. Only what answers the person's own act can be exempt: the receipt of a withdrawal, and
 * the opt-in ask that the person's own message started.
 */
export type Exemption =
  { readonly class: 'withdrawal-receipt' } | { readonly class: 'opt-in-ask'; readonly selfStarted: true };

/**
 * A versioned set of send rules: plain JSON, as `rule-set.published.v1` carries it. In force are the rules of `base`
 * (those Assent ships, by version, kept for ever) and `rules`. Adding a rule never allows more. The shape published
 * before (`windows` instead of `base` and `rules`) is still accepted and read as base `none` with `*` rules.
 */
export interface RuleSet {
  readonly id: string;
  /** Counted from 1. */
  readonly version: number;
  /** RFC 3339, UTC. Which set is in force is the caller's choice; `evaluate` uses the one it is given. */
  readonly effectiveFrom: string;
  /** `assent@<n>`: the shipped rules of that version. `none`: only `rules`, on the publisher's own responsibility. */
  readonly base: string;
  /** Shadow rules of the base that the publisher signed off: they are in force instead of the default. */
  readonly signedOff: readonly {
    readonly ruleId: string;
    readonly by: string;
    readonly on: string;
    readonly reason: string;
  }[];
  readonly rules: readonly Rule[];
  readonly exempt: readonly Exemption[];
}
