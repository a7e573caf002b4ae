import type { Schedule, TemplateRef } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { Problem } from '@assent/service-runtime';
import type { RecipientDto, RequestDispatchDto, ScheduleDto } from './request-dispatch.dto.ts';

/** "Please send", over HTTP or the topic. */
export interface DispatchRequest {
  readonly recipient: Recipient;
  readonly purposeId: string;
  readonly senderId: string;
  readonly template: TemplateRef;
  readonly parameters: readonly string[];
  readonly schedule: Schedule;
  /** Epoch milliseconds; absent for the default. */
  readonly expiresAt?: number;
}

/** @throws Problem 400 `invalid-recipient`, `invalid-schedule`, `invalid-expiry` */
export function dispatchRequestOf(dto: RequestDispatchDto): DispatchRequest {
  return {
    recipient: recipientOf(dto.recipient),
    purposeId: dto.purposeId,
    senderId: dto.senderId,
    template: { name: dto.template.name, language: dto.template.language },
    parameters: dto.parameters ?? [],
    schedule: scheduleOf(dto.schedule),
    ...(dto.expiresAt === undefined ? {} : { expiresAt: expiryOf(dto.expiresAt) }),
  };
}

export function recipientOf({ phone, waId, bsuid, subjectId }: RecipientDto): Recipient {
  const given: Recipient[] = [
    ...(phone === undefined ? [] : [{ phone }]),
    ...(waId === undefined ? [] : [{ waId }]),
    ...(bsuid === undefined ? [] : [{ bsuid }]),
    ...(subjectId === undefined ? [] : [{ subjectId }]),
  ];
  const [recipient] = given;
  if (recipient !== undefined && given.length === 1) return recipient;
  throw new Problem({
    status: 400,
    code: 'invalid-recipient',
    title: 'The recipient is not clear',
    detail: 'Give exactly one of phone, waId, bsuid and subjectId.',
  });
}

function scheduleOf(dto: ScheduleDto | undefined): Schedule {
  if (dto === undefined) return { kind: 'now' };
  const { kind, at, date, time } = dto;
  if (kind === 'now' && at === undefined && date === undefined && time === undefined) return { kind };
  if (kind === 'at' && at !== undefined && isInstant(at) && date === undefined && time === undefined) {
    return { kind, at: new Date(at).toISOString() };
  }
  if (kind === 'local' && date !== undefined && time !== undefined && at === undefined && isCalendarDate(date)) {
    return { kind, date, time };
  }
  throw new Problem({
    status: 400,
    code: 'invalid-schedule',
    title: 'The schedule is not clear',
    detail: 'Give {"kind":"now"}, {"kind":"at","at":RFC 3339} or {"kind":"local","date":"YYYY-MM-DD","time":"HH:MM"}.',
  });
}

function expiryOf(text: string): number {
  if (isInstant(text)) return Date.parse(text);
  throw new Problem({
    status: 400,
    code: 'invalid-expiry',
    title: 'expiresAt is not an instant',
    detail: 'Give an RFC 3339 date and time with its offset, such as 2026-11-30T18:00:00Z.',
  });
}

/** RFC 3339 allows what no clock here can show: a leap second, for one. */
function isInstant(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

function isCalendarDate(date: string): boolean {
  const instant = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(date);
}
