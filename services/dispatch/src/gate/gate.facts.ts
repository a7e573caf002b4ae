import type { ConsentState } from '@assent/consent-state';
import type { Category, DispatchCause, DispatchClass, Position, Schedule, Scope, TemplateRef } from '@assent/contracts';
import type { RuleSet } from '@assent/send-rules';

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
  /** The person's declared zone, the newest of request and preferences. */
  readonly timeZone?: string;
  /** Zones the address itself allows, and how well they are known. */
  readonly candidateZones: readonly string[];
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
  readonly sender?: { readonly held: boolean };
  readonly template?: { readonly category: Category; readonly bodyParameters: number };
  readonly purpose?: { readonly category: Category };
  readonly ruleSet: RuleSet;
  /** The withdrawal that a receipt confirms; epoch ms of its receipt by us. */
  readonly withdrawal?: { readonly withdrawalId: string; readonly recordedAt: number; readonly position: Position };
  /** Logs that did not answer or that our read models have not applied up to their ends. */
  readonly behind: readonly string[];
  /** Keys of this recipient that are parked because one of their events could not be applied. */
  readonly parked: readonly string[];
}
