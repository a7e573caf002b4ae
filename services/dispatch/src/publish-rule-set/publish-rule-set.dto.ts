import { IsIn, IsOptional } from 'class-validator';

export class PublishRuleSetDto {
  /** `true`: it takes effect only when it is activated, and runs beside the rules in force until then. */
  @IsOptional()
  @IsIn(['true', 'false'])
  shadow?: 'true' | 'false';
}
