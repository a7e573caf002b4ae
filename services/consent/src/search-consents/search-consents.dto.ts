import { Type } from 'class-transformer';
import { IsBoolean, IsDefined, IsISO8601, IsObject, IsOptional, Matches, ValidateNested } from 'class-validator';
import { RFC_3339 } from '../consent-events/occurred-at.ts';
import { RecipientDto } from '../recipient/recipient.dto.ts';

export class SearchConsentsDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  /** What we knew at that instant, RFC 3339; what we know now when left out. */
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(RFC_3339)
  asOf?: string;

  /** True to ask what had happened by then instead, whenever we learned of it. */
  @IsOptional()
  @IsBoolean()
  validTime?: boolean;
}
