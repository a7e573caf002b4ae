import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  DB,
  IdempotencyKey,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { PolicyWrites } from '../dispatch-ledger/policy-writes.ts';
import { type TemplateDocument, templateFold } from '../templates/template.projection.ts';
import { RegisterTemplateDto } from './register-template.dto.ts';

/** Templates listed in one answer; WhatsApp allows a business 6,000 over all languages. */
const LISTED_MAX = 6_000;

@ApiTags('templates')
@ApiBearerAuth()
@Controller('v1/templates')
export class RegisterTemplateController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
  ) {}

  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Register a template as the platform approved it' })
  register(
    @Body() dto: RegisterTemplateDto,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const { name, language, category, body, bodyParameters } = dto;
    const buttons = dto.buttons?.map(({ kind, text, optsOut }) => ({
      kind,
      text,
      ...(optsOut === undefined ? {} : { optsOut }),
    }));
    const data = { name, language, category, body, bodyParameters, ...(buttons === undefined ? {} : { buttons }) };
    return this.policy.write({ tenant, route: 'POST /v1/templates', key, body: dto, trace }, () => ({
      type: 'template.registered.v1',
      key: name,
      data,
      answer: { name, language },
    }));
  }

  @Get()
  @Roles('admin', 'operator', 'sender', 'auditor')
  @ApiOperation({ summary: 'The registered templates' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ templates: object[] }> {
    const found = await this.db
      .collection<TemplateDocument>(templateFold.collection)
      .find({ tenant }, { readPreference: 'primary' })
      .limit(LISTED_MAX)
      .toArray();
    return { templates: found.map(({ template }) => template) };
  }
}
