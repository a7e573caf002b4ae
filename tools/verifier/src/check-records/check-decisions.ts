import type { FaultCode, Findings, Place } from '../findings/findings.ts';
import type { LoggedEvent } from '../records/event.ts';

interface Scope {
  readonly kind: string;
  readonly id?: string;
}

/** A fact, where it stands, and whose it is. Plain data: a run that was interrupted goes on with them. */
interface Fact {
  readonly tenant: string;
  readonly log: string;
  readonly offset: number;
}

interface Withdrawal extends Fact {
  readonly kind: 'withdrawal';
  readonly subjectId: string;
  readonly scope: Scope;
  readonly lane: string;
  readonly senderId: string | undefined;
  readonly effectiveAt: string;
}

interface Grant extends Fact {
  readonly kind: 'grant';
  readonly subjectId: string;
  readonly purposeIds: readonly string[];
  readonly requestedAt: string;
}

interface Resumption extends Fact {
  readonly kind: 'resumption';
  readonly subjectId: string;
  readonly lane: string;
  readonly scope: Scope;
  readonly senderId: string | undefined;
  readonly occurredAt: string;
}

interface Acceptance extends Fact {
  readonly kind: 'acceptance';
  readonly dispatchId: string;
  readonly class: string;
  readonly subjectId: string;
  readonly purposeId: string | undefined;
  readonly category: string;
  readonly senderId: string;
}

interface Intent extends Fact {
  readonly kind: 'intent';
  readonly dispatchId: string;
  readonly attemptId: string;
  readonly eventId: string;
}

/** What later checks rest on. */
export type DecisionFact = Withdrawal | Grant | Resumption | Acceptance | Intent;

interface PersonFacts {
  readonly withdrawals: Withdrawal[];
  readonly grants: Grant[];
  readonly resumptions: Resumption[];
}

interface AttemptData {
  readonly dispatchId: string;
  readonly attemptId: string;
  readonly subjectId: string;
  readonly class: string;
  readonly senderId: string;
  readonly gate: { readonly verdict: string; readonly positions: Readonly<Record<string, number>> };
}

const OUTCOMES = ['dispatch.attempt-sent.v1', 'dispatch.attempt-failed.v1', 'dispatch.attempt-unknown.v1'];

/**
 * The invariants that need nothing but the log:
 *
 * - an attempt has the acceptance of its dispatch before it, and is of the same class and for the same person;
 * - an attempt has one intent, and every outcome of it comes after that;
 * - the gate's verdict of an attempt is "allow", and its position vector names every log that holds facts of the person;
 * - an attempt of class `message` does not stand when that vector covers a withdrawal that covers the message, unless it
 *   also covers a proven grant for the purpose that was requested after the withdrawal took effect, or the platform's own
 *   resumption of what it had stopped.
 *
 * Everything about one person stands in one partition of each topic keyed by persons, and those topics have equally many
 * partitions (docs/formats/audit-folder.md), so the logs come partition by partition, consent.events before
 * dispatch.events, and the memory this takes is that of one partition: some 300 bytes for each consent fact, dispatch and
 * attempt in it.
 */
export class DecisionChecks {
  private readonly people = new Map<string, PersonFacts>();
  private readonly acceptances = new Map<string, Acceptance>();
  private readonly intents = new Map<string, string>();

  constructor(
    private readonly findings: Findings,
    /** Told of each fact that later checks rest on. */
    private readonly onFact: (fact: DecisionFact) => void = () => undefined,
  ) {}

  /** Forgets everything: the next logs are about other people. */
  reset(): void {
    this.people.clear();
    this.acceptances.clear();
    this.intents.clear();
  }

  event(event: LoggedEvent, place: Place): void {
    const attempt = event.data as unknown as AttemptData;
    if (event.type === 'dispatch.attempt-intended.v1') this.attempted(event, attempt, place);
    if (OUTCOMES.includes(event.type) && !this.intents.has(keyOf(event.tenant, attempt.attemptId))) {
      this.fault('outcome-without-attempt', place, 'no intent of this attempt stands before its outcome');
    }
    const fact = factOf(event);
    if (fact === undefined) return;
    this.remember(fact);
    this.onFact(fact);
  }

  /** Takes a fact as known. */
  remember(fact: DecisionFact): void {
    switch (fact.kind) {
      case 'withdrawal':
        this.person(fact.tenant, fact.subjectId).withdrawals.push(fact);
        break;
      case 'grant':
        this.person(fact.tenant, fact.subjectId).grants.push(fact);
        break;
      case 'resumption':
        this.person(fact.tenant, fact.subjectId).resumptions.push(fact);
        break;
      case 'acceptance': {
        const key = keyOf(fact.tenant, fact.dispatchId);
        if (!this.acceptances.has(key)) this.acceptances.set(key, fact);
        break;
      }
      case 'intent': {
        const key = keyOf(fact.tenant, fact.attemptId);
        if (!this.intents.has(key)) this.intents.set(key, fact.eventId);
      }
    }
  }

  private attempted(event: LoggedEvent, data: AttemptData, place: Place): void {
    this.findings.checked.attempts += 1;
    const intended = this.intents.get(keyOf(event.tenant, data.attemptId));
    // The same event again is the same fact: a writer that got no answer repeats it.
    if (intended !== undefined && intended !== event.id) {
      this.fault('attempt-intended-twice', place, 'another intent of the same attempt stands before this one');
    }
    const acceptance = this.acceptances.get(keyOf(event.tenant, data.dispatchId));
    if (acceptance === undefined) {
      this.fault('attempt-without-acceptance', place, 'no acceptance of this dispatch stands before the attempt');
      return;
    }
    if (acceptance.class !== data.class || acceptance.subjectId !== data.subjectId) {
      this.fault('attempt-differs-from-acceptance', place, 'the attempt is of another class, or for another person');
    }
    if (data.gate.verdict !== 'allow') {
      this.fault('attempt-not-allowed', place, `the gate's verdict was "${data.gate.verdict}"`);
    }
    const facts = this.people.get(keyOf(event.tenant, data.subjectId));
    if (facts === undefined) return;
    this.vectorIsComplete(facts, data.gate.positions, place);
    if (acceptance.class === 'message' || data.class === 'message') {
      this.noWithdrawalStands(facts, { ...acceptance, senderId: data.senderId }, data.gate.positions, place);
    }
  }

  private vectorIsComplete(facts: PersonFacts, vector: Readonly<Record<string, number>>, place: Place): void {
    const logs = new Set([...facts.withdrawals, ...facts.grants, ...facts.resumptions].map(({ log }) => log));
    for (const log of logs) {
      if (Object.hasOwn(vector, log)) continue;
      const text = `the gate did not wait for ${log}, which holds facts of this person`;
      this.fault('gate-vector-incomplete', place, text);
    }
  }

  private noWithdrawalStands(
    facts: PersonFacts,
    message: Acceptance,
    vector: Readonly<Record<string, number>>,
    place: Place,
  ): void {
    const seen = ({ log, offset }: Fact): boolean => Object.hasOwn(vector, log) && offset < (vector[log] ?? 0);
    const { purposeId } = message;
    const grants = facts.grants.filter(
      (grant) => seen(grant) && purposeId !== undefined && grant.purposeIds.includes(purposeId),
    );
    const resumptions = facts.resumptions.filter(seen);
    for (const withdrawal of facts.withdrawals) {
      if (!seen(withdrawal) || !covers(withdrawal.scope, message)) continue;
      if (resumptions.some((resumption) => ends(resumption, withdrawal))) continue;
      if (grants.some((grant) => isLater(grant.requestedAt, withdrawal.effectiveAt))) continue;
      const position = `${withdrawal.log}@${withdrawal.offset}`;
      const text = `the gate had seen the withdrawal at ${position}, and no later proven grant`;
      this.fault('attempt-after-withdrawal', place, text);
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

  private fault(code: FaultCode, place: Place, text: string): void {
    this.findings.fault(code, place, text);
  }
}

/** What a later check needs of an event; its data was checked against its schema. */
function factOf({ id, type, tenant, log, offset, data }: LoggedEvent): DecisionFact | undefined {
  const place = { tenant, log, offset };
  switch (type) {
    case 'consent.withdrawn.v1': {
      const { subjectId, scope, lane, senderId, effectiveAt } = data as unknown as Withdrawal;
      return { kind: 'withdrawal', ...place, subjectId, scope, lane, senderId, effectiveAt };
    }
    case 'consent.granted.v1': {
      const { basis, subjectId, purposeIds, requestedAt } = data as unknown as Grant & { basis: string };
      // Only a proven grant can outrun a withdrawal.
      return basis === 'confirmed' ? { kind: 'grant', ...place, subjectId, purposeIds, requestedAt } : undefined;
    }
    case 'consent.resumed.v1': {
      const { subjectId, lane, scope, senderId, occurredAt } = data as unknown as Resumption;
      return { kind: 'resumption', ...place, subjectId, lane, scope, senderId, occurredAt };
    }
    case 'dispatch.accepted.v1': {
      const { dispatchId, class: kind, subjectId, purposeId, category, senderId } = data as unknown as Acceptance;
      return { kind: 'acceptance', ...place, dispatchId, class: kind, subjectId, purposeId, category, senderId };
    }
    case 'dispatch.attempt-intended.v1': {
      const { dispatchId, attemptId } = data as unknown as AttemptData;
      return { kind: 'intent', ...place, dispatchId, attemptId, eventId: id };
    }
    default:
      return undefined;
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
    withdrawal.scope.kind === resumption.scope.kind &&
    withdrawal.scope.id === resumption.scope.id &&
    isLater(resumption.occurredAt, withdrawal.effectiveAt)
  );
}

/** What is not understood is not later than anything. */
function isLater(time: string, than: string): boolean {
  return Date.parse(time) > Date.parse(than);
}

function keyOf(tenant: string, id: string): string {
  return `${tenant}/${id}`;
}
