import { PATTERNS } from '@assent/contracts';
import { IsBoolean, IsDateString, IsString, Matches, MaxLength, MinLength } from 'class-validator';

const NAME_CHARS_MAX = 120;

export class DeclareHolidayDto {
  /** ISO 3166 country or part: `AE`, `US-FL`. */
  @Matches(PATTERNS.Region)
  jurisdiction!: string;

  /** Local day, `YYYY-MM-DD`. */
  @Matches(PATTERNS.LocalDate)
  @IsDateString({ strict: true })
  date!: string;

  /** False takes a day out of the calendar: a holiday that was moved. */
  @IsBoolean()
  holiday!: boolean;

  @IsString()
  @MinLength(1)
  @MaxLength(NAME_CHARS_MAX)
  name!: string;
}
