import type { CallRecord } from './call-log/call-log.ts';
import type { Fault } from './faults/faults.ts';
import type { ButtonPress } from './people/act-as-person.ts';
import type { Behaviour, PersonInput, ReceivedMessage } from './people/people.ts';
import type { PhoneNumber } from './phone-numbers.ts';
import type { Template } from './send-message/templates.ts';
import type { WebhookVerification } from './webhooks/verify-webhook.ts';
import type { WebhookBacklog, WebhookDelivery } from './webhooks/webhook-sender.ts';

/** What a person does: exactly one of `text`, `button`, `preference`, `raw`. */
export interface PersonMessage {
  readonly text?: string;
  readonly button?: Omit<ButtonPress, 'phoneNumberId' | 'atMs'>;
  readonly preference?: 'stop' | 'resume';
  /** Any other message: its `type` and the fields of that type, as the webhook carries them. */
  readonly raw?: { readonly type: string; readonly [field: string]: unknown };
  /** The message that is answered (text and raw). */
  readonly answers?: string;
  /** The business number written to; the first one when absent. */
  readonly phoneNumberId?: string;
  /** Timestamp of the message, epoch ms; now when absent. */
  readonly atMs?: number;
}

export interface PersonView {
  readonly key: string;
  readonly phone?: string;
  readonly waId?: string;
  readonly bsuid: string;
  readonly name: string;
  readonly hidesPhone: boolean;
  readonly behaviour: Behaviour;
  /** Business numbers whose marketing the person stopped. */
  readonly stoppedMarketing: readonly string[];
}

/** A running simulator. Its methods are what `/simulator/…` offers over HTTP. */
export interface Simulator {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  registerPerson(person: PersonInput): PersonView;
  /** By phone, waId or bsuid. Throws `UnknownPersonError`. */
  person(address: string): PersonView;
  people(): readonly PersonView[];
  /** Returns the id of the message; none for a preference. Throws `UnknownPersonError`, `NoSuchButtonError`. */
  act(person: string, message: PersonMessage): { readonly messageId?: string };
  /** `total` counts what ever arrived; the newest 200 are kept. */
  inbox(person: string): { readonly total: number; readonly messages: readonly ReceivedMessage[] };
  registerTemplate(template: Template): void;
  templates(): readonly Template[];
  registerPhoneNumber(phoneNumber: PhoneNumber): void;
  phoneNumbers(): readonly PhoneNumber[];
  addFault(fault: Fault): void;
  faults(): readonly Fault[];
  clearFaults(): void;
  setWebhookUrl(url: string): void;
  /** Meta's handshake with the webhook; with another token to see it refused. */
  verifyWebhook(verifyToken?: string): Promise<WebhookVerification>;
  /** Sends any change of any field, for instance `account_update`. */
  sendUpdate(update: { field: string; value: object; phoneNumberId?: string; time?: number }): void;
  calls(): readonly CallRecord[];
  callsTotal(): number;
  webhooks(): readonly WebhookDelivery[];
  webhookBacklog(): WebhookBacklog;
  /** Nothing is under way: no message, no reaction of a person, no webhook. */
  isSettled(): boolean;
  /** True as soon as the condition on the simulator's state holds, false when it does not within `timeoutMs`. */
  until(holds: () => boolean, timeoutMs: number): Promise<boolean>;
  /** Forgets people, templates, faults and what is under way; the call log and the business numbers stay. */
  reset(): void;
  close(): Promise<void>;
}
