import type { ConsentState } from '@assent/consent-state';
import type {
  Category,
  DispatchCause,
  DispatchClass,
  Position,
  Schedule,
  Scope,
  TemplateRef,
  TemplateRegistered,
} from '@assent/contracts';
import type { Attempt, Blackout, HolidayEntry, RecipientEvidence, RecipientWishes, RuleSet } from '@assent/send-rules';

/** What a dispatch asks for, as far as the gate needs it. */
export interface DispatchWish {
  readonly dispatchId: string;
  readonly class: DispatchClass;
  readonly cause: DispatchCause;
  readonly purposeId?: string;
  readonly category: Category;
  readonly senderId: string;
  readonly template: TemplateRef;
  readonly parameterCount: number;
  readonly schedule: Schedule;
  /** Epoch milliseconds from which it is no longer worth sending. */
  readonly expiresAt: number;
}

/** What our read models say about the person. */
export interface RecipientFacts {
  readonly subjectId: string;
  readonly consent: ConsentState;
  /** Everything that tells where the person is; the address in it is personal data. */
  readonly evidence: RecipientEvidence;
  readonly wishes: RecipientWishes;
  /** Attempts to the person in the last 31 days, of every purpose and sender. */
  readonly attempts: readonly Attempt[];
  /** Newest message that relied on the consent for this purpose, and newest act that was the person's own; RFC 3339. */
  readonly lastUsedAt?: string;
  readonly lastActAt?: string;
  /** Live causes of suppression over all of the person's address keys. */
  readonly causes: readonly SuppressionCause[];
  /** The person's own and form-started requests to opt in, by request id. */
  readonly request?: OptInRequest;
  /** When the newest earlier opt-in ask that a form started was sent or intended for this person; epoch ms. */
  readonly lastFormAskAt?: number;
}

export interface SuppressionCause {
  readonly causeId: string;
  readonly kind: 'manual' | 'provider-verdict' | 'complaint';
  readonly scope: Scope;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly position: Position;
}

/** The request that an opt-in ask is about. */
export interface OptInRequest {
  readonly requestId: string;
  readonly selfStarted: boolean;
  /** Epoch milliseconds. */
  readonly requestedAt: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Everything one verdict rests on. What is absent is unknown, and the unknown holds or refuses, never allows. */
export interface GateFacts {
  /** Epoch milliseconds of the decision. */
  readonly at: number;
  readonly wish: DispatchWish;
  /** Absent when no person is known under the address. */
  readonly recipient?: RecipientFacts;
  readonly sender?: { readonly held: boolean; readonly displayName: string };
  readonly template?: Pick<TemplateRegistered, 'category' | 'language' | 'body' | 'bodyParameters' | 'buttons'>;
  readonly purpose?: { readonly category: Category };
  readonly ruleSet: RuleSet;
  /** The version that runs in shadow: what it would have said is recorded next to the verdict. */
  readonly shadowRuleSet?: RuleSet;
  /** Days that operators added to, or took from, the calendars. */
  readonly holidays: readonly HolidayEntry[];
  readonly blackouts: readonly Blackout[];
  /** The withdrawal that a receipt confirms; epoch ms of its receipt by us. */
  readonly withdrawal?: { readonly withdrawalId: string; readonly recordedAt: number; readonly position: Position };
  /** Logs that did not answer or that our read models have not applied up to their ends. */
  readonly behind: readonly string[];
  /** Keys of this recipient that are parked because one of their events could not be applied. */
  readonly parked: readonly string[];
}
