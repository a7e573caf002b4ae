import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';

export class IssueReceiptDto {
  @ApiProperty({ example: '8f14e45f-ceea-4e7b-8c5d-1d0f0c2a7b11' })
  @Matches(/^[!-~]{1,128}$/)
  eventId!: string;
}
