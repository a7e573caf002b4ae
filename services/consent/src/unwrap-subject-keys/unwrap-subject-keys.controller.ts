import { SUBJECT_KEYS_BATCH_MAX, SubjectKeys, type UnwrapKeysAnswer, unwrapKeysAnswer } from '@assent/sealing';
import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsUUID } from 'class-validator';

export class UnwrapSubjectKeysDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SUBJECT_KEYS_BATCH_MAX)
  @IsUUID('all', { each: true })
  subjectIds!: string[];
}

/** For the other services only: the keys of people of the token's tenant. Ids without a key are left out. */
@ApiExcludeController()
@Controller('internal/v1/keys/unwrap')
export class UnwrapSubjectKeysController {
  constructor(@Inject(SubjectKeys) private readonly keys: SubjectKeys) {}

  @Post()
  @HttpCode(200)
  @Roles('service')
  async unwrap(@Body() dto: UnwrapSubjectKeysDto, @CurrentCaller() { tenant }: Caller): Promise<UnwrapKeysAnswer> {
    return unwrapKeysAnswer(await this.keys.get(tenant, dto.subjectIds));
  }
}
