import { PATTERNS } from '@assent/contracts';
import { IsOptional, Matches } from 'class-validator';

export class ActivateRuleSetDto {
  /** RFC 3339; at once when absent or past. */
  @IsOptional()
  @Matches(PATTERNS.OffsetInstant)
  effectiveFrom?: string;
}
