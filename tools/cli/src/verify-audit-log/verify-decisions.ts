import type { RecordedEvent, Scope } from '@assent/contracts';
import type { Findings } from './verify-result.ts';

type EventOf<T extends RecordedEvent['type']> = Extract<RecordedEvent, { type: T }>;

/** A consent fact and where it stands, as `topic/partition` and offset. */
interface Placed {
  readonly log: string;
  readonly offset: number;
}

interface Withdrawal extends Placed {
  readonly scope: Scope;
  readonly lane: string;
  readonly senderId: string | undefined;
  readonly effectiveMs: number;
}

interface Grant extends Placed {
  readonly purposeIds: readonly string[];
  readonly requestedMs: number;
}

interface Resumption extends Placed {
  readonly lane: string;
  readonly scope: Scope;
  readonly senderId: string | undefined;
  readonly occurredMs: number;
}

/** What was said by and about one person. */
interface PersonFacts {
  readonly withdrawals: Withdrawal[];
  readonly grants: Grant[];
  readonly resumptions: Resumption[];
}

interface Acceptance {
  readonly class: string;
  readonly subjectId: string;
  readonly purposeId: string | undefined;
  readonly category: string;
  readonly senderId: string;
}

/**
 * The invariants that need nothing but the log:
 *
 * - an attempt has the acceptance of its dispatch before it, and is of the same class and for the same person;
 * - the gate's verdict of an attempt is "allow", and its position vector names every log that holds facts of the person;
 * - an attempt of class `message` does not stand when that vector covers a withdrawal that covers the message, unless it
 *   also covers a proven grant for the purpose that was requested after the withdrawal took effect, or the platform's own
 *   resumption of what it had stopped.
 *
 * This is a second implementation of the rule, on purpose: it shares nothing with the gate but the events. Events have to
 * come log by log in order, those of consent.events before those of dispatch.events. It keeps the consent facts of every
 * person and the acceptance of every dispatch in memory, some 200 bytes each.
 */
export class DecisionChecks {
  private readonly people = new Map<string, PersonFacts>();
  private readonly acceptances = new Map<string, Acceptance>();

  constructor(private readonly findings: Findings) {}

  event(event: RecordedEvent, where: string): void {
    switch (event.type) {
      case 'consent.withdrawn.v1':
        this.withdrawn(event);
        break;
      case 'consent.granted.v1':
        this.granted(event);
        break;
      case 'consent.resumed.v1':
        this.resumed(event);
        break;
      case 'dispatch.accepted.v1':
        this.accepted(event);
        break;
      case 'dispatch.attempt-intended.v1':
        this.attempted(event, where);
        break;
      default:
    }
  }

  private withdrawn(event: EventOf<'consent.withdrawn.v1'>): void {
    const { scope, lane, senderId, effectiveAt, subjectId } = event.data;
    const effectiveMs = orLatest(Date.parse(effectiveAt));
    this.person(event.tenant, subjectId).withdrawals.push({ ...placeOf(event), scope, lane, senderId, effectiveMs });
  }

  /** Only a proven grant can outrun a withdrawal. */
  private granted(event: EventOf<'consent.granted.v1'>): void {
    const { basis, purposeIds, requestedAt, subjectId } = event.data;
    if (basis !== 'confirmed') return;
    const grant = { ...placeOf(event), purposeIds, requestedMs: Date.parse(requestedAt) };
    this.person(event.tenant, subjectId).grants.push(grant);
  }

  private resumed(event: EventOf<'consent.resumed.v1'>): void {
    const { lane, scope, senderId, occurredAt, subjectId } = event.data;
    const resumption = { ...placeOf(event), lane, scope, senderId, occurredMs: Date.parse(occurredAt) };
    this.person(event.tenant, subjectId).resumptions.push(resumption);
  }

  private accepted({ data, tenant }: EventOf<'dispatch.accepted.v1'>): void {
    const key = keyOf(tenant, data.dispatchId);
    if (this.acceptances.has(key)) return;
    const { subjectId, purposeId, category, senderId } = data;
    this.acceptances.set(key, { class: data.class, subjectId, purposeId, category, senderId });
  }

  private attempted(event: EventOf<'dispatch.attempt-intended.v1'>, where: string): void {
    const { data } = event;
    this.findings.checked.attempts += 1;
    const acceptance = this.acceptances.get(keyOf(event.tenant, data.dispatchId));
    if (acceptance === undefined) {
      this.fault('attempt-without-acceptance', where, 'no acceptance of this dispatch stands before the attempt');
      return;
    }
    if (acceptance.class !== data.class || acceptance.subjectId !== data.subjectId) {
      this.fault('attempt-differs-from-acceptance', where, 'the attempt is of another class, or for another person');
    }
    if (data.gate.verdict !== 'allow') {
      this.fault('attempt-not-allowed', where, `the gate's verdict was "${data.gate.verdict}"`);
    }
    const facts = this.people.get(keyOf(event.tenant, data.subjectId));
    if (facts === undefined) return;
    this.vectorIsComplete(facts, data.gate.positions, where);
    if (acceptance.class === 'message' || data.class === 'message') {
      this.noWithdrawalStands(facts, acceptance, data, where);
    }
  }

  private vectorIsComplete(facts: PersonFacts, vector: Readonly<Record<string, number>>, where: string): void {
    const logs = new Set([...facts.withdrawals, ...facts.grants, ...facts.resumptions].map(({ log }) => log));
    for (const log of logs) {
      if (Object.hasOwn(vector, log)) continue;
      this.fault('gate-vector-incomplete', where, `the gate did not wait for ${log}, which holds facts of this person`);
    }
  }

  private noWithdrawalStands(
    facts: PersonFacts,
    acceptance: Acceptance,
    attempt: EventOf<'dispatch.attempt-intended.v1'>['data'],
    where: string,
  ): void {
    const vector = attempt.gate.positions;
    const seen = ({ log, offset }: Placed): boolean => offset < (Object.hasOwn(vector, log) ? (vector[log] ?? 0) : 0);
    const message = { ...acceptance, senderId: attempt.senderId };
    const resumptions = facts.resumptions.filter(seen);
    const grants = facts.grants.filter(
      (grant) => seen(grant) && acceptance.purposeId !== undefined && grant.purposeIds.includes(acceptance.purposeId),
    );
    for (const withdrawal of facts.withdrawals) {
      if (!seen(withdrawal) || !covers(withdrawal.scope, message)) continue;
      if (resumptions.some((resumption) => ends(resumption, withdrawal))) continue;
      if (grants.some((grant) => grant.requestedMs > withdrawal.effectiveMs)) continue;
      const position = `${withdrawal.log}@${withdrawal.offset}`;
      this.fault(
        'attempt-after-withdrawal',
        where,
        `the gate had seen the withdrawal at ${position}, and no later proven grant`,
      );
    }
  }

  private person(tenant: string, subjectId: string): PersonFacts {
    const key = keyOf(tenant, subjectId);
    const known = this.people.get(key);
    if (known !== undefined) return known;
    const facts = { withdrawals: [], grants: [], resumptions: [] };
    this.people.set(key, facts);
    return facts;
  }

  private fault(code: Parameters<Findings['fault']>[1], where: string, text: string): void {
    this.findings.fault('decisions', code, where, text);
  }
}

/** Whether a withdrawal of this scope covers the message. What is not understood covers everything. */
function covers(scope: Scope, message: Acceptance): boolean {
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

/** The platform takes back a stop of its own: same lane, scope and sender, later than the stop took effect. */
function ends(resumption: Resumption, withdrawal: Withdrawal): boolean {
  return (
    withdrawal.lane === 'platform' &&
    resumption.lane === 'platform' &&
    withdrawal.senderId === resumption.senderId &&
    JSON.stringify(scopeParts(withdrawal.scope)) === JSON.stringify(scopeParts(resumption.scope)) &&
    resumption.occurredMs > withdrawal.effectiveMs
  );
}

function scopeParts(scope: Scope): readonly unknown[] {
  return [scope.kind, 'id' in scope ? scope.id : undefined];
}

function placeOf({ position }: RecordedEvent): Placed {
  return { log: `${position.topic}/${position.partition}`, offset: position.offset };
}

function keyOf(tenant: string, id: string): string {
  return `${tenant}/${id}`;
}

function orLatest(ms: number): number {
  return Number.isNaN(ms) ? Infinity : ms;
}
