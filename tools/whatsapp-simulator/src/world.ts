import type { Changes } from './changes.ts';
import type { Clock } from './clock.ts';
import type { Faults } from './faults/faults.ts';
import type { People } from './people/people.ts';
import type { PhoneNumber } from './phone-numbers.ts';
import type { RateLimits } from './send-message/rate-limits.ts';
import type { Templates } from './send-message/templates.ts';
import type { Timers } from './timers.ts';
import type { WebhookSender } from './webhooks/webhook-sender.ts';

/** How the simulated platform behaves where the real one is known to differ, or is not known well. */
export interface PlatformBehaviour {
  /**
   * A number that nobody has: `undeliverable` takes the message and fails it later with 131026, as the platform does;
   * `refuse` answers 131030; `create` makes a person of it.
   */
  readonly unknownRecipients: 'undeliverable' | 'refuse' | 'create';
  /** Marketing to a person who stopped it: 131050 in a `failed` status (the rule), or in the reply. */
  readonly stopErrorIn: 'status' | 'reply';
  /** Milliseconds from the call to `sent`, and from `sent` to `delivered`. */
  readonly statusDelayMs: number;
  /** When set, the only bearer token that is accepted; otherwise any is. */
  readonly accessToken?: string;
}

/** Everything the simulated platform knows. */
export interface World {
  readonly clock: Clock;
  readonly behaviour: PlatformBehaviour;
  readonly phoneNumbers: Map<string, PhoneNumber>;
  readonly people: People;
  readonly templates: Templates;
  readonly rateLimits: RateLimits;
  readonly faults: Faults;
  readonly webhooks: WebhookSender;
  readonly timers: Timers;
  readonly changes: Changes;
}
