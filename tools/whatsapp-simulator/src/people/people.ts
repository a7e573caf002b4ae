import { RingBuffer } from '../ring-buffer.ts';

/** How a person acts by themselves. */
export interface Behaviour {
  /** False: messages are sent but never arrive. Default true. */
  readonly deliver?: boolean;
  /** Milliseconds from delivery to the read receipt; absent: never read. */
  readonly autoReadAfterMs?: number;
  /** Presses the first quick reply whose payload starts with CONFIRM, that many milliseconds after delivery. */
  readonly autoConfirmAfterMs?: number;
  /** Every message fails with this error code in a `failed` status. */
  readonly failWithCode?: number;
}

export interface PersonInput {
  /** E.164, with or without `+`. A person has a phone, a waId, a bsuid, or several of them. */
  readonly phone?: string;
  /** Digits; the phone's digits when absent. */
  readonly waId?: string;
  readonly bsuid?: string;
  readonly parentBsuid?: string;
  readonly name?: string;
  /** Starts with @. */
  readonly username?: string;
  /** The business does not see the phone: webhooks leave it out and name the person by bsuid only. */
  readonly hidesPhone?: boolean;
  readonly behaviour?: Behaviour;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly phoneNumberId: string;
  /** Epoch ms. */
  readonly receivedAtMs: number;
  readonly type: 'text' | 'template' | 'interactive';
  readonly text: string;
  readonly template?: { readonly name: string; readonly language: string; readonly parameters: readonly string[] };
  readonly buttons: readonly { readonly text: string; readonly payload: string }[];
}

export interface Person {
  /** waId, or the bsuid when the person has no phone: the name under `/simulator/people/`. */
  readonly key: string;
  readonly phone?: string;
  readonly waId?: string;
  readonly bsuid: string;
  readonly parentBsuid?: string;
  readonly name: string;
  readonly username?: string;
  readonly hidesPhone: boolean;
  behaviour: Behaviour;
  readonly inbox: RingBuffer<ReceivedMessage>;
  /** When the person last wrote, by business number (epoch ms): opens the service window. */
  readonly lastWroteAtMs: Map<string, number>;
  /** Business numbers whose marketing the person stopped in WhatsApp's own setting. */
  readonly stoppedMarketing: Set<string>;
}

/** 24 hours from the person's last message (Meta's page on sending messages). */
const SERVICE_WINDOW_MS = 86_400_000;
const INBOX_KEPT_MAX = 200;
const PEOPLE_MAX = 200_000;

export class UnknownPersonError extends Error {
  override readonly name = 'UnknownPersonError';
  readonly code = 'unknown-person';
}

/** Everyone who can be written to, found by phone, waId or bsuid. */
export class People {
  private readonly byAddress = new Map<string, Person>();
  private readonly everyone = new Set<Person>();
  private counter = 0;

  /** Adds a person, or changes the behaviour of one who is there. Throws `RangeError` when there are too many. */
  register(input: PersonInput): Person {
    const digits = input.phone?.replace(/\D/g, '');
    const waId = input.waId ?? digits;
    const known = [waId, digits, input.bsuid].map((address) => address && this.byAddress.get(address)).find(Boolean);
    if (known) {
      known.behaviour = input.behaviour ?? known.behaviour;
      return known;
    }
    if (this.everyone.size >= PEOPLE_MAX) throw new RangeError(`more than ${PEOPLE_MAX} people`);
    const bsuid = input.bsuid ?? this.newBsuid();
    const person: Person = {
      key: waId ?? bsuid,
      bsuid,
      ...(input.phone === undefined ? {} : { phone: input.phone }),
      ...(waId === undefined ? {} : { waId }),
      ...(input.parentBsuid === undefined ? {} : { parentBsuid: input.parentBsuid }),
      ...(input.username === undefined ? {} : { username: input.username }),
      name: input.name ?? 'Test Person',
      hidesPhone: input.hidesPhone ?? waId === undefined,
      behaviour: input.behaviour ?? {},
      inbox: new RingBuffer(INBOX_KEPT_MAX),
      lastWroteAtMs: new Map(),
      stoppedMarketing: new Set(),
    };
    this.everyone.add(person);
    for (const address of [waId, digits, bsuid]) if (address !== undefined) this.byAddress.set(address, person);
    return person;
  }

  find(address: string): Person | undefined {
    return this.byAddress.get(address.replace(/^\+/, ''));
  }

  /** Throws `UnknownPersonError`. */
  get(address: string): Person {
    const person = this.find(address);
    if (person === undefined) throw new UnknownPersonError('no such person');
    return person;
  }

  list(): readonly Person[] {
    return [...this.everyone];
  }

  clear(): void {
    this.byAddress.clear();
    this.everyone.clear();
  }

  private newBsuid(): string {
    this.counter += 1;
    return `US.${String(13_491_000_000_000 + this.counter)}`;
  }
}

/** Whether free messages may be sent to the person from that business number. */
export function hasOpenWindow(person: Person, phoneNumberId: string, nowMs: number): boolean {
  const wroteAtMs = person.lastWroteAtMs.get(phoneNumberId);
  return wroteAtMs !== undefined && nowMs - wroteAtMs < SERVICE_WINDOW_MS;
}
