import type { Recipient } from '@assent/identity';
import { Problem } from '@assent/service-runtime';
import { IsOptional, IsString, IsUUID, MaxLength, MinLength } from 'class-validator';

/** Whom a caller means: exactly one of the four. */
export class RecipientDto {
  /** E.164, with or without `+`. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  phone?: string;

  /** The digits WhatsApp knows the person by. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  waId?: string;

  /** Business-scoped user id, `CC.…`. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(160)
  bsuid?: string;

  @IsOptional()
  @IsUUID()
  subjectId?: string;
}

/** @throws Problem 400 `invalid-recipient` when not exactly one way to name the person is given */
export function recipientOf({ phone, waId, bsuid, subjectId }: RecipientDto): Recipient {
  const given: Recipient[] = [
    ...(phone === undefined ? [] : [{ phone }]),
    ...(waId === undefined ? [] : [{ waId }]),
    ...(bsuid === undefined ? [] : [{ bsuid }]),
    ...(subjectId === undefined ? [] : [{ subjectId }]),
  ];
  const [recipient] = given;
  if (recipient !== undefined && given.length === 1) return recipient;
  throw invalidRecipient();
}

export function invalidRecipient(): Problem {
  return new Problem({
    status: 400,
    code: 'invalid-recipient',
    title: 'The recipient is not clear',
    detail:
      'Give exactly one of phone, waId, bsuid and subjectId; to ask for consent, one that can be reached on WhatsApp.',
  });
}
