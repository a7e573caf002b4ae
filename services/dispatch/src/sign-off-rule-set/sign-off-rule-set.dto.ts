import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';

const NOTE_CHARS_MAX = 500;

export class SignOffRuleSetDto {
  /** What was looked at; kept for ever, so no personal data. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(NOTE_CHARS_MAX)
  note?: string;
}
