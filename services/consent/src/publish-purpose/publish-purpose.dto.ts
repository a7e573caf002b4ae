import { IsIn, IsString, Matches, MaxLength, MinLength } from 'class-validator';

export class PublishPurposeDto {
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  purposeId!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(120)
  name!: string;

  /** What the messages are for, as people are told. */
  @IsString()
  @MinLength(1)
  @MaxLength(1_000)
  description!: string;

  @IsIn(['marketing', 'utility', 'authentication', 'service'])
  category!: 'marketing' | 'utility' | 'authentication' | 'service';
}
