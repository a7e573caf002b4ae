import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { RecipientDto } from '../recipient-lookup/recipient.dto.ts';

/** Checks in one call: each reads a few documents, so this bounds a call to a second. */
export const CHECKS_MAX = 1_000;

export class CheckDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  purposeId?: string;

  /** Taken from the purpose when left out. */
  @IsOptional()
  @IsIn(['marketing', 'utility', 'authentication', 'service'])
  category?: string;

  @IsOptional()
  @IsString()
  @Matches(/^\d+$/)
  @MaxLength(32)
  senderId?: string;
}

/** Either one check, or a list of them. */
export class CheckAddressDto {
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CHECKS_MAX)
  @ValidateNested({ each: true })
  @Type(() => CheckDto)
  checks?: CheckDto[];

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient?: RecipientDto;

  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  purposeId?: string;

  @IsOptional()
  @IsIn(['marketing', 'utility', 'authentication', 'service'])
  category?: string;

  @IsOptional()
  @IsString()
  @Matches(/^\d+$/)
  @MaxLength(32)
  senderId?: string;
}
