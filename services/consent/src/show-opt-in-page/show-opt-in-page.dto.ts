import { IsOptional, IsString, MaxLength } from 'class-validator';

/** A form sends what its visitor typed; the page itself says what is wrong with it. */
export class OptInFormDto {
  @IsOptional()
  @IsString()
  @MaxLength(64)
  phone?: string;

  @IsOptional()
  @IsString()
  @MaxLength(8)
  agree?: string;

  @IsOptional()
  @IsString()
  @MaxLength(64)
  timeZone?: string;

  @IsOptional()
  @IsString()
  @MaxLength(16)
  language?: string;

  /** Version of the notice that was on the page. */
  @IsOptional()
  @IsString()
  @MaxLength(16)
  noticeVersion?: string;
}
