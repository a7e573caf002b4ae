import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsTimeZone,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { RecipientDto } from '../recipient/recipient.dto.ts';

const CLEARABLE = ['timeZone', 'region', 'quietHours', 'frequency'] as const;
const MESSAGES_MAX = 1_000;
/** Caps look back on 31 days. */
const WINDOW_HOURS_MAX = 744;

export class QuietHoursDto {
  /** Local `HH:MM`; the window may pass midnight. */
  @Matches(PATTERNS.LocalTime)
  from!: string;

  @Matches(PATTERNS.LocalTime)
  to!: string;
}

export class FrequencyDto {
  @IsInt()
  @Min(1)
  @Max(MESSAGES_MAX)
  attemptsMax!: number;

  @IsInt()
  @Min(1)
  @Max(WINDOW_HOURS_MAX)
  windowHours!: number;
}

export class ChangePreferencesDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  /** IANA time zone that the person declared. */
  @IsOptional()
  @IsTimeZone()
  timeZone?: string;

  @IsOptional()
  @Matches(PATTERNS.Language)
  @MaxLength(30)
  language?: string;

  /** Where the person says they live, ISO 3166: `DE`, `US-FL`. */
  @IsOptional()
  @Matches(PATTERNS.Region)
  region?: string;

  /** Every day, where the person is. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => QuietHoursDto)
  quietHours?: QuietHoursDto;

  /** At most so many messages in so many hours. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => FrequencyDto)
  frequency?: FrequencyDto;

  /** What the person takes back. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CLEARABLE.length)
  @ArrayUnique()
  @IsIn(CLEARABLE, { each: true })
  cleared?: (typeof CLEARABLE)[number][];
}
