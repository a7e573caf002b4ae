import { PATTERNS } from '@assent/contracts';
import { Type } from 'class-transformer';
import {
  IsDefined,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { TemplateRefDto } from '../request-dispatch/request-dispatch.dto.ts';

/** Highest throughput of a number. Source: WhatsApp, "Throughput", 2025-11-21. */
const RATE_PER_SECOND_MAX = 1_000;

export class RegisterSenderDto {
  /** WhatsApp phone-number id of the business number. */
  @Matches(PATTERNS.SenderId)
  senderId!: string;

  /** Meta business portfolio it belongs to. */
  @Matches(PATTERNS.PortfolioId)
  portfolioId!: string;

  /** Name that people see. */
  @IsString()
  @MinLength(1)
  @MaxLength(120)
  displayName!: string;

  /** The number itself, E.164 digits without `+`; needed for QR codes. */
  @IsOptional()
  @Matches(/^[1-9]\d{6,14}$/)
  businessNumber?: string;

  /** Messages a second, over all processes. */
  @IsInt()
  @Min(1)
  @Max(RATE_PER_SECOND_MAX)
  ratePerSecond!: number;

  /** UTILITY template of the receipt of a withdrawal, without parameters. */
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => TemplateRefDto)
  receiptTemplate!: TemplateRefDto;
}
