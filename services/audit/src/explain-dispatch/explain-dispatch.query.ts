import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import {
  type AnyEvent,
  decodeEvent,
  EventDecodeError,
  type GateInputs,
  isTopicName,
  parsePosition,
  type Position,
  PositionError,
  type Reason,
} from '@assent/contracts';
import { decodeLeaf } from '@assent/merkle-log';
import { DB, Problem } from '@assent/service-runtime';
import { proveRecord, type ProvenRecord, PublishedLogs, type SignedLog } from '../merkle-logs/published-logs.ts';
import {
  dispatchHistoryFold,
  type DispatchHistory,
  type DispatchHistoryEvent,
  withoutSealed,
} from './dispatch-history.projection.ts';
import { eventSentence } from './event-sentence.ts';

/** Facts looked up for one explanation: a dispatch names a handful. */
const FACTS_MAX = 50;

export type ProofState =
  | ({ readonly state: 'proven' } & ProvenRecord)
  | { readonly state: 'pending'; readonly text: 'pending until checkpoint' }
  | { readonly state: 'not-in-log'; readonly text: 'the log has no record at this position' };

export interface ExplainedEvent {
  /** `dispatch.events/3@1234` */
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly recordedAt: string;
  /** What it says, in words. */
  readonly says: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly proof: ProofState;
}

export interface Explanation {
  readonly dispatchId: string;
  /** The newest decision: the verdict, why, and everything the gate used. */
  readonly decision?: {
    readonly verdict: string;
    readonly at: string;
    readonly reasons: readonly Reason[];
    readonly gate?: GateInputs;
  };
  /** Every event of the dispatch, in the order of the log. */
  readonly events: readonly ExplainedEvent[];
  /** Events the log has beyond those shown. */
  readonly eventsNotShown: number;
  /** The facts that the events name by position: consent, withdrawals, suppressions. */
  readonly reliedOn: readonly (ExplainedEvent | { readonly position: string; readonly proof: ProofState })[];
  /** The signed checkpoints that the proofs lead to, by log, and the key lines to check them with. */
  readonly checkpoints: Readonly<Record<string, { readonly note: string; readonly verifierKey: string }>>;
  readonly keyFingerprint: string;
}

export class ExplainDispatch {
  constructor(
    readonly tenant: string,
    readonly dispatchId: string,
  ) {}
}

/**
 * Why a dispatch left or did not: its events with their proofs, what the gate used, and the facts it relied on, read
 * from the log itself.
 */
@QueryHandler(ExplainDispatch)
export class ExplainDispatchHandler implements IQueryHandler<ExplainDispatch, Explanation> {
  constructor(
    @Inject(DB) private readonly db: Connection,
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
  ) {}

  async execute({ tenant, dispatchId }: ExplainDispatch): Promise<Explanation> {
    const history = await this.db
      .collection<DispatchHistory>(dispatchHistoryFold.collection)
      .findOne({ _id: dispatchId }, { readPreference: 'primary' });
    if (history?.tenant !== tenant) throw noSuchDispatch();
    const reader = new ProofReader(this.logs, tenant);
    const events: ExplainedEvent[] = [];
    for (const event of history.events) events.push(await this.explain(history, event, reader));
    const reliedOn: Explanation['reliedOn'][number][] = [];
    for (const position of namedPositions(history.events)) {
      if (this.logs.has(position)) reliedOn.push(await reader.fact(position));
    }
    const decision = newestDecision(history.events);
    return {
      dispatchId,
      ...(decision === undefined ? {} : { decision }),
      events,
      eventsNotShown: history.notKept,
      reliedOn,
      checkpoints: reader.checkpoints(),
      keyFingerprint: this.logs.keyFingerprint,
    };
  }

  private async explain(
    history: DispatchHistory,
    event: DispatchHistoryEvent,
    reader: ProofReader,
  ): Promise<ExplainedEvent> {
    const { offset, id, type, time, recordedAt, data } = event;
    const position = `${history._partition ?? ''}@${offset}`;
    const says = eventSentence({ type, data } as unknown as AnyEvent);
    return { position, id, type, time, recordedAt, says, data, proof: await reader.prove(parsePosition(position)) };
  }
}

/** Proves records; each log is read at one checkpoint, so that the proofs of one answer fit together. */
class ProofReader {
  private readonly signed = new Map<string, Promise<SignedLog | undefined>>();
  private readonly used = new Map<string, SignedLog>();

  constructor(
    private readonly logs: PublishedLogs,
    private readonly tenant: string,
  ) {}

  async prove(position: Position): Promise<ProofState> {
    const log = await this.log(position);
    const outcome = log === undefined ? 'not-yet-signed' : await proveRecord(log, position.offset, this.tenant);
    if (outcome === 'not-yet-signed') return { state: 'pending', text: 'pending until checkpoint' };
    if (outcome === 'no-such-record') return { state: 'not-in-log', text: 'the log has no record at this position' };
    if (log !== undefined) this.used.set(log.name, log);
    return { state: 'proven', ...outcome };
  }

  /** The event at a position, as the log holds it; its content only for the controller whose fact it is. */
  async fact(position: Position): Promise<Explanation['reliedOn'][number]> {
    const text = `${position.topic}/${position.partition}@${position.offset}`;
    const proof = await this.prove(position);
    if (proof.state !== 'proven' || proof.entry === undefined) return { position: text, proof };
    const leaf = decodeLeaf(Buffer.from(proof.entry, 'base64'));
    if (leaf.value.form !== 'inline') return { position: text, proof };
    const headers = leaf.headers.map(({ name, value }) => ({ name, value: value ?? new Uint8Array() }));
    try {
      const event = decodeEvent({ ...leaf, headers, value: leaf.value.bytes });
      const { id, type, time, recordedAt } = event;
      return {
        position: text,
        id,
        type,
        time,
        recordedAt,
        says: eventSentence(event),
        data: withoutSealed(event.data),
        proof,
      };
    } catch (error) {
      if (error instanceof EventDecodeError) return { position: text, proof };
      throw error;
    }
  }

  checkpoints(): Explanation['checkpoints'] {
    return Object.fromEntries(
      [...this.used].map(([name, { note }]) => [name, { note, verifierKey: this.logs.verifierKey(name) }]),
    );
  }

  private log({ topic, partition }: Position): Promise<SignedLog | undefined> {
    const name = `${topic}/${partition}`;
    const known = this.signed.get(name);
    if (known !== undefined) return known;
    const reading = this.logs.signed(topic, partition);
    this.signed.set(name, reading);
    return reading;
  }
}

/** Positions that a dispatch's events name: causes, the consent that decided, and what reasons refer to. */
export function namedPositions(events: readonly Pick<DispatchHistoryEvent, 'data'>[]): Position[] {
  const found = new Map<string, Position>();
  const visit = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
    const position = typeof value === 'string' ? positionOf(value) : undefined;
    if (position !== undefined && typeof value === 'string' && found.size < FACTS_MAX) found.set(value, position);
  };
  for (const { data } of events) visit(data);
  return [...found.values()];
}

function positionOf(text: string): Position | undefined {
  try {
    const position = parsePosition(text);
    return isTopicName(position.topic) ? position : undefined;
  } catch (error) {
    if (error instanceof PositionError) return undefined;
    throw error;
  }
}

/** The newest event that decided something, with the gate's inputs where it names them. */
export function newestDecision(events: readonly DispatchHistoryEvent[]): Explanation['decision'] {
  const verdictOf: Readonly<Record<string, string>> = {
    'dispatch.refused.v1': 'refuse',
    'dispatch.cancelled.v1': 'refuse',
    'dispatch.held.v1': 'hold',
    'dispatch.attempt-intended.v1': 'allow',
  };
  const event = events.findLast(({ type }) => Object.hasOwn(verdictOf, type));
  if (event === undefined) return undefined;
  const { gate, reasons, reason } = event.data as { gate?: GateInputs; reasons?: Reason[]; reason?: Reason };
  return {
    verdict: gate?.verdict ?? verdictOf[event.type] ?? 'hold',
    at: gate?.decidedAt ?? event.time,
    reasons: reasons ?? (reason === undefined ? [] : [reason]),
    ...(gate === undefined ? {} : { gate }),
  };
}

function noSuchDispatch(): Problem {
  return new Problem({
    status: 404,
    code: 'no-such-dispatch',
    title: 'There is no such dispatch',
    detail: 'The log has no event of a dispatch with this id.',
  });
}
