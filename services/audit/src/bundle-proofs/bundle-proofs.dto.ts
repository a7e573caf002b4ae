import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsObject,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

/** Records of one request: their proofs share tiles, and the answer stays below the size of a bundle. */
export const RECORDS_AT_ONCE_MAX = 256;

/** One record, by its event's id or by its position. */
export class AskedRecordDto {
  @ApiPropertyOptional({ example: '8f14e45f-ceea-4e7b-8c5d-1d0f0c2a7b11' })
  @ValidateIf(({ topic }: AskedRecordDto) => topic === undefined)
  @IsString()
  @Matches(/^[!-~]{1,128}$/)
  eventId?: string;

  @ApiPropertyOptional({ example: 'consent.events' })
  @ValidateIf(({ eventId }: AskedRecordDto) => eventId === undefined)
  @IsString()
  @MaxLength(64)
  topic?: string;

  @ApiPropertyOptional({ example: 3 })
  @ValidateIf(({ eventId }: AskedRecordDto) => eventId === undefined)
  @IsInt()
  @Min(0)
  @Max(2 ** 31 - 1)
  partition?: number;

  @ApiPropertyOptional({ example: 1234 })
  @ValidateIf(({ eventId }: AskedRecordDto) => eventId === undefined)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  offset?: number;
}

export class BundleProofsDto {
  @ApiProperty({ type: [AskedRecordDto], maxItems: RECORDS_AT_ONCE_MAX })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(RECORDS_AT_ONCE_MAX)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => AskedRecordDto)
  records!: AskedRecordDto[];
}

export class SubjectDto {
  @ApiProperty({ example: '4b7c6c0e-6f5e-4f0a-9d0c-5a1b2c3d4e5f' })
  @IsUUID()
  subjectId!: string;
}

export class DispatchDto {
  @ApiProperty({ example: '4b7c6c0e-6f5e-4f0a-9d0c-5a1b2c3d4e5f' })
  @IsUUID()
  dispatchId!: string;
}
