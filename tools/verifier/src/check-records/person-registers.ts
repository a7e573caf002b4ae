import type { Acceptance, Resumption, Scope, Withdrawal } from './decision-facts.ts';

/**
 * Registers of one person: far more than there are purposes and senders that one could withdraw from. So what one person
 * did a million times takes no more memory, and no more time for each attempt, than once.
 */
const REGISTERS_MAX = 1_000;

/** A withdrawal in the consent log, as far as a person's registers keep it. */
interface Stop {
  readonly lane: string;
  readonly scope: Scope;
  readonly effectiveMs: number;
  readonly offset: number;
}

/** What a message is, as its acceptance says; the sender is the attempt's. */
export type Message = Pick<Acceptance, 'purposeId' | 'category' | 'senderId'>;

/**
 * What is known of one person at one position of the consent log. Of each kind only the newest counts: the newest
 * withdrawal of each lane and scope (the platform's for each sender too), the newest resumption of the same, the newest
 * proven grant for each purpose. When none of the newest stops a message, no older one does.
 */
export class PersonRegisters {
  private readonly stops = new Map<string, Stop>();
  private readonly resumed = new Map<string, number>();
  private readonly granted = new Map<string, number>();

  /** True when there is a fact about the person. */
  get isKnown(): boolean {
    return this.stops.size + this.resumed.size + this.granted.size > 0;
  }

  /** True when the person has more scopes and purposes than are kept: then nothing can be said. */
  get isTooMuch(): boolean {
    return this.stops.size + this.resumed.size + this.granted.size > REGISTERS_MAX;
  }

  withdraw({ lane, scope, senderId, effectiveAt, offset }: Withdrawal): void {
    const key = registerOf(lane, scope, senderId);
    // What is not understood is never over.
    const effectiveMs = msOf(effectiveAt) ?? Infinity;
    const known = this.stops.get(key);
    if (known === undefined ? !this.isTooMuch : effectiveMs > known.effectiveMs)
      this.stops.set(key, { lane, scope, effectiveMs, offset });
  }

  resume({ lane, scope, senderId, occurredAt }: Resumption): void {
    this.newest(this.resumed, registerOf(lane, scope, senderId), occurredAt);
  }

  grant(purposeId: string, requestedAt: string): void {
    this.newest(this.granted, purposeId, requestedAt);
  }

  /** Offset of a withdrawal that covers the message and that nothing later lifted; undefined when there is none. */
  stopOf(message: Message): number | undefined {
    const { purposeId } = message;
    const grantedMs = purposeId === undefined ? undefined : this.granted.get(purposeId);
    for (const [key, { lane, scope, effectiveMs, offset }] of this.stops) {
      if (!covers(scope, message) || isLater(grantedMs, effectiveMs)) continue;
      // The platform takes back stops of its own only.
      if (lane === 'platform' && isLater(this.resumed.get(key), effectiveMs)) continue;
      return offset;
    }
    return undefined;
  }

  private newest(register: Map<string, number>, key: string, time: string): void {
    // What is not understood is not later than anything.
    const ms = msOf(time) ?? -Infinity;
    const known = register.get(key);
    if (known === undefined ? !this.isTooMuch : ms > known) register.set(key, ms);
  }
}

/** Stops of the platform, and what it takes back, are about a sender too; those of the person are about every sender. */
function registerOf(lane: string, scope: Scope, senderId: string | undefined): string {
  return JSON.stringify([lane, scope.kind, scope.id, lane === 'platform' ? senderId : undefined]);
}

function isLater(ms: number | undefined, than: number): boolean {
  return ms !== undefined && ms > than;
}

function msOf(time: string): number | undefined {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Whether a withdrawal of this scope covers the message. What is not understood covers everything. */
function covers(scope: Scope, message: Message): boolean {
  switch (scope.kind) {
    case 'category':
      return scope.id === message.category;
    case 'purpose':
      return message.purposeId === undefined || scope.id === message.purposeId;
    case 'sender':
      return scope.id === message.senderId;
    default:
      return true;
  }
}
