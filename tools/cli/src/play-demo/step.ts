import type { AnyEvent, RecordedEvent } from '@assent/contracts';
import type { PlatformClient, ServiceAnswer } from '../platform-client/platform-client.ts';
import type { LogFollower } from './log-follower.ts';
import type { SimulatedPeople } from './simulated-people.ts';

/** Longest wait for anything the platform does by itself. Milliseconds are usual; a loaded machine takes seconds. */
export const WAIT_MS = 20_000;

/** What the steps of one run share. */
export interface World {
  readonly client: PlatformClient;
  readonly people: SimulatedPeople;
  readonly log: LogFollower;
  /** Where it is the middle of the day now. */
  readonly zone: string;
  /** What later steps need of earlier ones. */
  readonly known: Known;
}

export interface Known {
  /** Ids of the people by name. */
  readonly subjects: Map<string, string>;
  /** The dispatches asked for before STOP, by what they are. */
  readonly dispatches: Map<'now' | 'tomorrow' | 'at-night', string>;
  withdrawal?: Recorded<'consent.withdrawn.v1'>;
  stop?: StopMeasure;
  keyFingerprint?: string;
}

export interface StopMeasure {
  /** When WhatsApp's webhook was answered with 200, epoch ms. */
  readonly acknowledgedAt: number;
  /** From then to the first refusal; 0 when it came before. */
  readonly toRefusalMs: number;
  /** Decisions that were asked for after the acknowledgement. */
  readonly decisionsAfter: number;
}

export type Recorded<T extends AnyEvent['type']> = Extract<RecordedEvent, { type: T }>;

/** What a step did, for the transcript. */
export interface StepOutcome {
  readonly says: string;
  /** The events that carried it. */
  readonly events: readonly RecordedEvent[];
  readonly details?: readonly string[];
}

export interface Step {
  /** What has to hold, in a few words. */
  readonly title: string;
  run(world: World): Promise<StepOutcome>;
}

/** A step does not hold. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';

  constructor(
    readonly expected: string,
    readonly found: string,
  ) {
    super(`expected ${expected}, found ${found}`);
  }
}

export function check(holds: boolean, expected: string, found: string): asserts holds {
  if (!holds) throw new StepFailed(expected, found);
}

/** The value, or a failure that says what was expected. */
export function present<T>(value: T | undefined, expected: string, found = 'nothing'): T {
  if (value === undefined) throw new StepFailed(expected, found);
  return value;
}

/** The body of an answer with one of these statuses. */
export function bodyOf<T>({ status, body }: ServiceAnswer, expected: number): Readonly<T> {
  const { code, detail } = body as { code?: string; detail?: string };
  check(status === expected, `HTTP ${expected}`, `HTTP ${status} ${code ?? ''} ${detail ?? ''}`.trim());
  return body as T;
}

/** The text of a page, answered with 200. */
export function textOf(answer: ServiceAnswer): string {
  bodyOf(answer, 200);
  return typeof answer.body === 'string' ? answer.body : '';
}

/** Waits for an event of a type among those from number `from` on. */
export async function eventually<T extends AnyEvent['type']>(
  { log }: World,
  from: number,
  type: T,
  matches: (event: Recorded<T>) => boolean,
  what: string,
): Promise<Recorded<T>> {
  const find = (events: readonly RecordedEvent[]): Recorded<T> | undefined =>
    events.find((event): event is Recorded<T> => event.type === type && matches(event as Recorded<T>));
  return present(await log.waitFor(from, find, WAIT_MS), `${type} ${what}`, `none within ${WAIT_MS / 1_000} s`);
}

/** The events with these positions, as writes answered them. */
export function atPositions({ log }: World, positions: readonly string[]): RecordedEvent[] {
  const wanted = new Set(positions.flatMap((list) => list.split(', ')));
  return log.events.filter(({ position: { topic, partition, offset } }) =>
    wanted.has(`${topic}/${partition}@${offset}`),
  );
}
