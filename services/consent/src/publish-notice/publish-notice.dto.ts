import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';

/** Purposes that one notice may ask for; more is no informed choice. */
const PURPOSES_MAX = 32;
const LANGUAGES_MAX = 40;
const BODY_CHARS_MAX = 4_000;

/** What a person is shown in one language. */
export class NoticeTextDto {
  @Matches(PATTERNS.Language)
  @MaxLength(30)
  language!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(120)
  title!: string;

  /** Who will write, what about, how often. */
  @IsString()
  @MinLength(1)
  @MaxLength(BODY_CHARS_MAX)
  body!: string;

  /** The words beside the box that is ticked. */
  @IsString()
  @MinLength(1)
  @MaxLength(500)
  checkbox!: string;

  /** How to stop. */
  @IsString()
  @MinLength(1)
  @MaxLength(500)
  optOutHint!: string;
}

export class PublishNoticeDto {
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  noticeId!: string;

  /** Counted from 1; a published version never changes. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  version!: number;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(PURPOSES_MAX)
  @ArrayUnique()
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/, { each: true })
  purposeIds!: string[];

  /** The controller's name as people see it. */
  @IsString()
  @MinLength(1)
  @MaxLength(120)
  controllerName!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LANGUAGES_MAX)
  @ArrayUnique(({ language }: NoticeTextDto) => language)
  @ValidateNested({ each: true })
  @Type(() => NoticeTextDto)
  texts!: NoticeTextDto[];
}
