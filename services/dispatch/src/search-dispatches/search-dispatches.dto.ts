import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { RecipientDto } from '../request-dispatch/request-dispatch.dto.ts';

export const SEARCH_LIMIT_MAX = 200;
const SEARCH_LIMIT_DEFAULT = 50;

const STATUSES = [
  'planned',
  'held',
  'attempting',
  'sent',
  'delivered',
  'read',
  'unknown',
  'failed',
  'refused',
  'cancelled',
];

export class SearchDispatchesDto {
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient?: RecipientDto;

  @IsOptional()
  @IsIn(STATUSES)
  status?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(SEARCH_LIMIT_MAX)
  limit: number = SEARCH_LIMIT_DEFAULT;
}
