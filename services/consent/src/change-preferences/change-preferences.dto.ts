import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import { IsDefined, IsObject, IsOptional, IsTimeZone, Matches, MaxLength, ValidateNested } from 'class-validator';
import { RecipientDto } from '../recipient/recipient.dto.ts';

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
}
