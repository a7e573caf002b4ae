import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  IsDefined,
  IsIn,
  IsISO8601,
  IsObject,
  IsOptional,
  IsTimeZone,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { RFC_3339 } from '../consent-events/occurred-at.ts';
import { RecipientDto } from '../recipient/recipient.dto.ts';

export class RequestConsentDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  /** Public code of the capture point, `<tenant>.<id>`. */
  @Matches(/^[a-z0-9][a-z0-9-]{0,31}\.[a-z0-9][a-z0-9-]{0,47}$/)
  capturePoint!: string;

  /** How the person was asked. */
  @IsIn(['form', 'agent', 'api'])
  method!: 'form' | 'agent' | 'api';

  @IsOptional()
  @Matches(PATTERNS.Language)
  @MaxLength(30)
  language?: string;

  /** When the person asked, RFC 3339; now when left out, not in the future and at most a week ago. */
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(RFC_3339)
  occurredAt?: string;

  /** IANA time zone that the person declared. */
  @IsOptional()
  @IsTimeZone()
  timeZone?: string;

  /** What proves it: form snapshot, note of the agent. Sealed under the person's key. */
  @IsOptional()
  @IsObject()
  evidence?: Record<string, unknown>;
}
