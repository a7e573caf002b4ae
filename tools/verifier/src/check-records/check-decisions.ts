import type { FaultCode, Findings, Place } from '../findings/findings.ts';
import type { LoggedEvent } from '../records/event.ts';
import { ExternalSort, type Sorted, type SortLimits } from '../spill/external-sort.ts';
import {
  type Acceptance,
  type Attempt,
  type AttemptData,
  type DecisionFact,
  decisionFact,
  type Grant,
  type Outcome,
  type Resumption,
  type Withdrawal,
} from './decision-facts.ts';
import { type Message, PersonRegisters } from './person-registers.ts';

/** Items of a sort between two looks whether the run is to stop. */
const ITEMS_PER_PAUSE = 4_096;

/** An intent or an outcome of an attempt. */
interface OfAttempt {
  readonly index: number;
  readonly offset: number;
  /** The event that is the intent; undefined for an outcome. */
  readonly intentId: string | undefined;
}

/** An attempt, and the message as its acceptance describes it; undefined for what the person's consent is not asked of. */
interface Asked {
  readonly kind: 'attempt';
  readonly index: number;
  readonly offset: number;
  readonly seen: number | undefined;
  readonly message: Message | undefined;
}

/** What is wrong at a leaf of dispatch.events. */
interface FoundAt {
  readonly code: FaultCode | 'person-too-large';
  readonly offset: number;
  readonly text: string;
}

/**
 * The invariants that need nothing but the log:
 *
 * - an attempt has the acceptance of its dispatch before it, and is of the same class and for the same person;
 * - an attempt has one intent, and every outcome of it comes after that;
 * - the gate's verdict of an attempt is "allow", and its position vector names the log that holds facts of the person;
 * - an attempt of class `message` does not stand when that vector covers a withdrawal that covers the message, unless it
 *   also covers a proven grant for the purpose that was requested after the withdrawal took effect, or the platform's own
 *   resumption of what it had stopped.
 *
 * Everything about one person stands in one partition of each topic keyed by persons, and those topics have equally many
 * partitions (docs/formats/audit-folder.md), so the logs come partition by partition, consent.events before
 * dispatch.events, and each partition is checked by itself.
 *
 * Facts that belong together, of one dispatch, attempt or person, can stand anywhere in a partition. So they are sorted
 * by what they are about, on disk where they are many, and each group is gone through once: memory is the same for any
 * number of facts, also when all of them are about one person.
 */
export class DecisionChecks {
  private readonly dispatches: ExternalSort<Acceptance | Attempt>;
  private readonly attempts: ExternalSort<OfAttempt>;
  /**
   * In the order of the consent log: a fact at its offset, an attempt after all that its gate had seen. Facts are added
   * before attempts, so of equals they come first.
   */
  private readonly persons: ExternalSort<Withdrawal | Grant | Resumption | Asked>;
  private readonly found: ExternalSort<FoundAt>;
  private consentLog = '';
  private dispatchLog = '';

  constructor(
    private readonly findings: Findings,
    /** Where temporary files go. */
    folder: string,
    /** Told of each fact that the checks rest on. */
    private readonly onFact: (fact: DecisionFact) => void = () => undefined,
    limits?: SortLimits,
  ) {
    this.dispatches = new ExternalSort(folder, limits);
    this.attempts = new ExternalSort(folder, limits);
    this.persons = new ExternalSort(folder, limits);
    this.found = new ExternalSort(folder, limits);
  }

  /** Forgets everything: the next logs are about the people of another partition. */
  begin(partition: number): void {
    this.close();
    this.consentLog = `consent.events/${partition}`;
    this.dispatchLog = `dispatch.events/${partition}`;
  }

  /** Gives temporary files back. */
  close(): void {
    for (const sort of [this.dispatches, this.attempts, this.persons, this.found]) sort.clear();
  }

  /** Takes in the next event of a log. @throws SpillError */
  event(event: LoggedEvent, place: Place): void {
    if (event.type === 'dispatch.attempt-intended.v1') {
      const { verdict } = (event.data as unknown as AttemptData).gate;
      this.findings.checked.attempts += 1;
      if (verdict !== 'allow') this.findings.fault('attempt-not-allowed', place, `the gate's verdict was "${verdict}"`);
    }
    const fact = decisionFact(event, place, this.consentLog);
    if (fact === undefined) return;
    this.remember(fact);
    this.onFact(fact);
  }

  /** Takes in a fact of an event that a run had read which was interrupted. @throws SpillError */
  remember(fact: DecisionFact): void {
    switch (fact.kind) {
      case 'grant':
      case 'withdrawal':
      case 'resumption':
        this.persons.add(keyOf(fact.tenant, fact.subjectId), fact.offset, fact);
        break;
      case 'acceptance':
        this.dispatches.add(keyOf(fact.tenant, fact.dispatchId), fact.index, fact);
        break;
      case 'attempt':
        this.dispatches.add(keyOf(fact.tenant, fact.dispatchId), fact.index, fact);
        this.ofAttemptIs(fact, fact.eventId);
        break;
      case 'outcome':
        this.ofAttemptIs(fact, undefined);
    }
  }

  private ofAttemptIs({ tenant, attemptId, index, offset }: Attempt | Outcome, intentId: string | undefined): void {
    this.attempts.add(keyOf(tenant, attemptId), index, { index, offset, intentId });
  }

  /**
   * Checks what was taken in since `begin`, and forgets it. Findings come in the order of the log.
   * @param pause called now and then; rejects when the run is to stop
   * @throws SpillError
   */
  async finish(pause: () => Promise<void>): Promise<void> {
    await eachGroup(this.attempts, () => this.ofAttempt(), pause);
    await eachGroup(this.dispatches, () => this.ofDispatch(), pause);
    await eachGroup(this.persons, () => this.ofPerson(), pause);
    for (const { order: index, item } of this.found.sorted()) {
      const { code, offset, text } = item;
      const place = { log: this.dispatchLog, index, offset };
      if (code === 'person-too-large') this.findings.unchecked(code, place, text);
      else this.findings.fault(code, place, text);
    }
    this.close();
  }

  /** One intent, and outcomes after it. */
  private ofAttempt(): (fact: OfAttempt) => void {
    let first: string | undefined;
    return (fact) => {
      const { intentId } = fact;
      if (intentId === undefined && first === undefined)
        this.at(fact, 'outcome-without-attempt', 'no intent of this attempt stands before its outcome');
      // The same event again is the same fact: a writer that got no answer repeats it.
      if (intentId !== undefined && first !== undefined && intentId !== first)
        this.at(fact, 'attempt-intended-twice', 'another intent of the same attempt stands before this one');
      first ??= intentId;
    };
  }

  /** Attempts after their acceptance, and like it. */
  private ofDispatch(): (fact: Acceptance | Attempt) => void {
    let accepted: Acceptance | undefined;
    return (fact) => {
      if (fact.kind === 'acceptance') {
        accepted ??= fact;
        return;
      }
      if (accepted === undefined) {
        const text = 'no acceptance of this dispatch stands before the attempt';
        this.at(fact, 'attempt-without-acceptance', text);
        return;
      }
      if (accepted.class !== fact.class || accepted.subjectId !== fact.subjectId) {
        const text = 'the attempt is of another class, or for another person';
        this.at(fact, 'attempt-differs-from-acceptance', text);
      }
      const isMessage = accepted.class === 'message' || fact.class === 'message';
      const { purposeId, category } = accepted;
      const { tenant, subjectId, index, offset, seen, senderId } = fact;
      const message = isMessage ? { purposeId, category, senderId } : undefined;
      const order = seen === undefined ? Number.MAX_SAFE_INTEGER : seen - 1;
      this.persons.add(keyOf(tenant, subjectId), order, { kind: 'attempt', index, offset, seen, message });
    };
  }

  /** Attempts at the state of consent that their gate had seen. */
  private ofPerson(): (fact: Withdrawal | Grant | Resumption | Asked) => void {
    const registers = new PersonRegisters();
    return (fact) => {
      switch (fact.kind) {
        case 'withdrawal':
          registers.withdraw(fact);
          break;
        case 'grant':
          for (const purposeId of fact.purposeIds) registers.grant(purposeId, fact.requestedAt);
          break;
        case 'resumption':
          registers.resume(fact);
          break;
        case 'attempt':
          this.asked(fact, registers);
      }
    };
  }

  private asked(attempt: Asked, registers: PersonRegisters): void {
    if (!registers.isKnown) return;
    if (attempt.seen === undefined) {
      const text = `the gate did not wait for ${this.consentLog}, which holds facts of this person`;
      this.at(attempt, 'gate-vector-incomplete', text);
      return;
    }
    if (attempt.message === undefined) return;
    if (registers.isTooMuch) {
      const text = 'the person has more purposes and scopes than are kept, so no withdrawal was looked for';
      this.at(attempt, 'person-too-large', text);
      return;
    }
    const stop = registers.stopOf(attempt.message);
    if (stop === undefined) return;
    const text = `the gate had seen the withdrawal at ${this.consentLog}@${stop}, and no later proven grant`;
    this.at(attempt, 'attempt-after-withdrawal', text);
  }

  private at(
    { index, offset }: { readonly index: number; readonly offset: number },
    code: FoundAt['code'],
    text: string,
  ): void {
    this.found.add('', index, { code, offset, text });
  }
}

/** Gives the facts of each group, in order, to a check that is made for it. */
async function eachGroup<T>(
  sort: ExternalSort<T>,
  check: () => (fact: T) => void,
  pause: () => Promise<void>,
): Promise<void> {
  let group: Sorted<T>['key'] | undefined;
  let ofGroup = check();
  let items = 0;
  for (const { key, item } of sort.sorted()) {
    if (items % ITEMS_PER_PAUSE === 0) await pause();
    items += 1;
    if (key !== group) ofGroup = check();
    group = key;
    ofGroup(item);
  }
}

function keyOf(tenant: string, id: string): string {
  return `${tenant}/${id}`;
}
