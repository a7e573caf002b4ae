import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

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

export class ProveInclusionDto extends LogDto {
  @ApiProperty({ example: 1234 })
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  offset!: number;
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
