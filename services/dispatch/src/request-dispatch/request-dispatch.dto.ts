import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsRFC3339,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';

/** WhatsApp's templates have far fewer; a bound for one request. */
const PARAMETERS_MAX = 100;
const PARAMETER_CHARS_MAX = 1_024;

export class RecipientDto {
  /** E.164, with or without `+`. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  phone?: string;

  /** The digits WhatsApp knows the person by. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  waId?: string;

  /** Business-scoped user id, `CC.…`. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(160)
  bsuid?: string;

  @IsOptional()
  @IsUUID()
  subjectId?: string;
}

export class TemplateRefDto {
  @Matches(PATTERNS.TemplateName)
  name!: string;

  @Matches(PATTERNS.Language)
  language!: string;
}

/** `now`, `at` an instant, or a `local` date and time in the recipient's own time zone. */
export class ScheduleDto {
  @IsIn(['now', 'at', 'local'])
  kind!: 'now' | 'at' | 'local';

  /** RFC 3339, with `at`. */
  @IsOptional()
  @IsRFC3339()
  at?: string;

  /** YYYY-MM-DD, with `local`. */
  @IsOptional()
  @Matches(/^\d{4}-\d{2}-\d{2}$/)
  date?: string;

  /** HH:MM, with `local`. */
  @IsOptional()
  @Matches(/^([01]\d|2[0-3]):[0-5]\d$/)
  time?: string;
}

export class RequestDispatchDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  @Matches(PATTERNS.PurposeId)
  purposeId!: string;

  /** WhatsApp phone-number id of the business number. */
  @Matches(PATTERNS.SenderId)
  senderId!: string;

  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => TemplateRefDto)
  template!: TemplateRefDto;

  /** Values of the template's body parameters, in order. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(PARAMETERS_MAX)
  @IsString({ each: true })
  @MaxLength(PARAMETER_CHARS_MAX, { each: true })
  parameters?: string[];

  /** `now` when left out. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ScheduleDto)
  schedule?: ScheduleDto;

  /** From when it is no longer worth sending, RFC 3339; a week after its time when left out. */
  @IsOptional()
  @IsRFC3339()
  expiresAt?: string;
}
