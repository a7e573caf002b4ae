import { Type } from 'class-transformer';
import {
  IsDefined,
  IsIn,
  IsISO8601,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { RecipientDto } from '../recipient-lookup/recipient.dto.ts';

/** One instant, with its offset. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

export class ScopeDto {
  @IsIn(['all', 'channel', 'category', 'purpose', 'sender'])
  kind!: 'all' | 'channel' | 'category' | 'purpose' | 'sender';

  /** What of that kind; left out for `all`. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  id?: string;
}

export class AddSuppressionDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  /** Everything, when left out. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ScopeDto)
  scope?: ScopeDto;

  /** Why, as a code for the people who read it later, such as `asked-by-phone`; never a text that could name somebody. */
  @Matches(/^[a-z][a-z0-9-]{0,63}$/)
  reason!: string;

  /** Since when, RFC 3339; now when left out, and never later than now. */
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(RFC_3339)
  since?: string;
}
