import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min, ValidateIf } from 'class-validator';

/** A whole number as a query string writes it; anything else stays what it is and is refused. */
const WholeNumber = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => {
    return typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
  });

class LogDto {
  @ApiProperty({ example: 'consent.events' })
  @IsString()
  @MaxLength(64)
  topic!: string;

  @ApiProperty({ example: 3 })
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(2 ** 31 - 1)
  partition!: number;
}

/** A record by its event's id, or by its position. */
export class ProveInclusionDto {
  @ApiPropertyOptional({ example: '8f14e45f-ceea-4e7b-8c5d-1d0f0c2a7b11', description: 'instead of a position' })
  @ValidateIf(({ topic }: ProveInclusionDto) => topic === undefined)
  @Matches(/^[!-~]{1,128}$/)
  eventId?: string;

  @ApiPropertyOptional({ example: 'consent.events' })
  @ValidateIf(({ eventId }: ProveInclusionDto) => eventId === undefined)
  @IsString()
  @MaxLength(64)
  topic?: string;

  @ApiPropertyOptional({ example: 3 })
  @ValidateIf(({ eventId }: ProveInclusionDto) => eventId === undefined)
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(2 ** 31 - 1)
  partition?: number;

  @ApiPropertyOptional({ example: 1234 })
  @ValidateIf(({ eventId }: ProveInclusionDto) => eventId === undefined)
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  offset?: number;
}

export class ProveBindingDto extends LogDto {
  @ApiPropertyOptional({ example: 1235, description: 'the size that the proof of the record names' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  size?: number;
}

export class ProveConsistencyDto extends LogDto {
  @ApiProperty({ example: 100, description: 'the size you remember' })
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  from!: number;

  @ApiPropertyOptional({ example: 200, description: 'a later size; the newest signed one when left out' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  to?: number;
}
