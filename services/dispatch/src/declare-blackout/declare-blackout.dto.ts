import { PATTERNS } from '@assent/contracts';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsISO8601,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  MinLength,
} from 'class-validator';

const JURISDICTIONS_MAX = 64;
const REASON_CHARS_MAX = 200;
const CATEGORIES = ['marketing', 'utility', 'authentication', 'service'] as const;

export class DeclareBlackoutDto {
  /** ISO 3166 countries or parts (`US-FL`); `*` is everywhere. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(JURISDICTIONS_MAX)
  @ArrayUnique()
  @Matches(PATTERNS.Jurisdiction, { each: true })
  jurisdictions!: string[];

  /** RFC 3339; at once when absent or past. */
  @IsOptional()
  @Matches(PATTERNS.OffsetInstant)
  @IsISO8601({ strict: true })
  from?: string;

  /** RFC 3339; until it is ended when absent. */
  @IsOptional()
  @Matches(PATTERNS.OffsetInstant)
  @IsISO8601({ strict: true })
  until?: string;

  /** All of them when absent. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(CATEGORIES, { each: true })
  categories?: (typeof CATEGORIES)[number][];

  /** For people; kept for ever, so no personal data. */
  @IsString()
  @MinLength(1)
  @MaxLength(REASON_CHARS_MAX)
  reason!: string;
}
