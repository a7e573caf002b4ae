import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { isTopicName, parsePosition, PositionError } from '@assent/contracts';
import type { Position } from '@assent/contracts';
import type { Observable } from 'rxjs';
import { Problem } from './problem.ts';

/** Header of a request that wants to see at least these positions: `consent.events/3@12`, several with commas. */
export const MIN_POSITION_HEADER = 'assent-min-position';

/** Most positions of one request: one per partition that a write of ours can touch. */
const POSITIONS_MAX = 16;
/** How long a request waits for its positions, ms: catching up takes milliseconds, beyond this something is wrong. */
const WAIT_MS = 2_000;

/** What the header is held against. */
export interface MinPositions {
  /** Whether what this service shows depends on the topic. */
  follows(topic: string): boolean;
  partitionCount(topic: string): number;
  /** True once every position is applied, false after `timeoutMs`. */
  waitFor(positions: readonly Position[], options: { timeoutMs: number }): Promise<boolean>;
}

const invalid = (): Problem =>
  new Problem({
    status: 400,
    code: 'invalid-position',
    title: 'The Assent-Min-Position header is not usable',
    detail: `Send at most ${String(POSITIONS_MAX)} positions as answered by a write, separated by commas.`,
  });

function parsePositions(header: string): Position[] {
  const parts = header.split(',').map((part) => part.trim());
  if (parts.length > POSITIONS_MAX) throw invalid();
  try {
    return parts.map(parsePosition);
  } catch (error) {
    if (error instanceof PositionError) throw invalid();
    throw error;
  }
}

/**
 * Holds a request with `Assent-Min-Position` back until the read models have applied these positions, so that a caller
 * reads its own writes. Positions of topics this service does not follow are satisfied: nothing it shows depends on them.
 *
 * @throws Problem 400 `invalid-position`, 503 `position-not-reached` after {@link WAIT_MS}
 */
export class MinPositionInterceptor implements NestInterceptor {
  readonly #minPositions: MinPositions;

  constructor(minPositions: MinPositions) {
    this.#minPositions = minPositions;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const header = context.switchToHttp().getRequest<{ headers: Record<string, string | string[] | undefined> }>()
      .headers[MIN_POSITION_HEADER];
    if (header === undefined) return next.handle();
    const positions = parsePositions(Array.isArray(header) ? header.join(',') : header);
    if (positions.some(({ topic }) => !isTopicName(topic))) throw invalid();
    const followed = positions.filter(({ topic }) => this.#minPositions.follows(topic));
    if (followed.some(({ topic, partition }) => partition >= this.#minPositions.partitionCount(topic))) throw invalid();
    if (followed.length === 0 || (await this.#minPositions.waitFor(followed, { timeoutMs: WAIT_MS })))
      return next.handle();
    throw new Problem({
      status: 503,
      code: 'position-not-reached',
      title: 'The read models are behind',
      detail: 'The positions were not applied in time; try again.',
      headers: { 'retry-after': '1' },
    });
  }
}
