import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';

/** What ties an event to the request that caused it. */
export interface RequestTrace {
  /** Random id of the request; also `instance` of a problem and `requestId` of the log line. */
  correlationId: string;
  /** W3C Trace Context `traceparent` of the caller, when it sent a well-formed one. */
  traceParent?: string;
}

const TRACE_PARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace of the request; see {@link RequestTrace}. */
export function traceOf(request: {
  id: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}): RequestTrace {
  const traceParent = request.headers['traceparent'];
  const wellFormed = typeof traceParent === 'string' && TRACE_PARENT.test(traceParent);
  return { correlationId: request.id, ...(wellFormed ? { traceParent } : {}) };
}

/** The {@link RequestTrace} of the request, for the events it causes. */
export const CurrentTrace = createParamDecorator((_: unknown, context: ExecutionContext): RequestTrace =>
  traceOf(context.switchToHttp().getRequest<Parameters<typeof traceOf>[0]>()),
);
