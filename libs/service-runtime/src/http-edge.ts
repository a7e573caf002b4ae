import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { AccessGuard, Callers } from './access.ts';
import type { TokenEntry } from './access.ts';
import type { ClockCheck } from './clock-check.ts';
import { ClockGuard } from './clock-guard.ts';
import { observeRequests, useStrictBodies } from './http-server.ts';
import { HttpMetrics } from './metrics.ts';
import { MinPositionInterceptor } from './min-position.ts';
import type { MinPositions } from './min-position.ts';
import { ProblemDetailsFilter } from './problem-details.ts';
import { requestValidation } from './request-validation.ts';
import { WriteAnswerInterceptor } from './write-answers.ts';

/** What the edge needs of the service. */
export interface HttpEdgeOptions {
  logger: Logger;
  registry: Registry;
  tokens: readonly TokenEntry[];
  minPositions: MinPositions;
  rawLimitBytes: number;
  isStopping(): boolean;
  clockCheck: Pick<ClockCheck, 'offByMs'>;
}

/**
 * Everything between the socket and a handler: headers and request log, bodies, access, minimum positions, validation
 * and errors. Before `connectMicroservice`, so that Kafka handlers inherit the filter, and before `init`.
 */
export function applyHttpEdge(app: NestFastifyApplication, options: HttpEdgeOptions): void {
  observeRequests(app, {
    logger: options.logger,
    metrics: new HttpMetrics(options.registry),
    isStopping: () => options.isStopping(),
  });
  useStrictBodies(app, options.rawLimitBytes);
  app.useGlobalFilters(new ProblemDetailsFilter(options.logger));
  app.useGlobalGuards(new AccessGuard(new Callers(options.tokens)), new ClockGuard(options.clockCheck));
  app.useGlobalInterceptors(new MinPositionInterceptor(options.minPositions), new WriteAnswerInterceptor());
  app.useGlobalPipes(requestValidation());
}
