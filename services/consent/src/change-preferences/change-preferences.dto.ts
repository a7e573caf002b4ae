import { Type } from 'class-transformer';
import { IsDefined, IsObject, IsOptional, IsTimeZone, Matches, ValidateNested } from 'class-validator';
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
  @Matches(/^[A-Za-z]{2,3}([_-][A-Za-z]{2,4})?$/)
  language?: string;
}
