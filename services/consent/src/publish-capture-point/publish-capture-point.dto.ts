import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';

const METHODS = ['form', 'button', 'qr', 'keyword', 'agent', 'api'] as const;

export class TemplateRefDto {
  @Matches(/^[a-z0-9][a-z0-9_-]{0,511}$/)
  name!: string;

  @Matches(PATTERNS.Language)
  @MaxLength(30)
  language!: string;
}

export class PublishCapturePointDto {
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  capturePointId!: string;

  /** Ways in that it allows. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(METHODS.length)
  @ArrayUnique()
  @IsIn(METHODS, { each: true })
  methods!: (typeof METHODS)[number][];

  /** The notice it shows; its newest version at the time. */
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  noticeId!: string;

  /** WhatsApp phone-number id of the business number that asks. */
  @Matches(PATTERNS.SenderId)
  senderId!: string;

  /** Word that opts in when it is written to that number; needed for keyword and QR. */
  @IsOptional()
  @IsString()
  @MinLength(2)
  @MaxLength(32)
  keyword?: string;

  @Matches(PATTERNS.Language)
  @MaxLength(30)
  language!: string;

  /** UTILITY template of the double-opt-in question, with a quick-reply button. */
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => TemplateRefDto)
  confirmationTemplate!: TemplateRefDto;
}
