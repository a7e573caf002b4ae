import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';

/** WhatsApp allows ten buttons in a template. */
const BUTTONS_MAX = 10;
const BODY_CHARS_MAX = 1_024;
const BODY_PARAMETERS_MAX = 100;
/** Source: WhatsApp, custom marketing templates: a button's label has at most 25 characters. */
const BUTTON_CHARS_MAX = 25;

export class TemplateButtonDto {
  @IsIn(['quick-reply'])
  kind!: 'quick-reply';

  @IsString()
  @MinLength(1)
  @MaxLength(BUTTON_CHARS_MAX)
  text!: string;

  /** True for the button that withdraws: it gets the payload that consent knows, whatever its label says. */
  @IsOptional()
  @IsBoolean()
  optsOut?: boolean;
}

export class RegisterTemplateDto {
  @Matches(PATTERNS.TemplateName)
  name!: string;

  @Matches(PATTERNS.Language)
  language!: string;

  @IsIn(['marketing', 'utility', 'authentication', 'service'])
  category!: 'marketing' | 'utility' | 'authentication' | 'service';

  /** The text as the platform approved it, with {{1}} for parameters. */
  @IsString()
  @MinLength(1)
  @MaxLength(BODY_CHARS_MAX)
  body!: string;

  @IsInt()
  @Min(0)
  @Max(BODY_PARAMETERS_MAX)
  bodyParameters!: number;

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(BUTTONS_MAX)
  @ValidateNested({ each: true })
  @Type(() => TemplateButtonDto)
  buttons?: TemplateButtonDto[];
}
