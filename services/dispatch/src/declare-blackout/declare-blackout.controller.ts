import { isPlace } from '@assent/send-rules';
import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  DB,
  IdempotencyKey,
  NEW_ID,
  type NewId,
  Problem,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { type BlackoutDocument, blackoutFold, BLACKOUTS_KEY } from '../blackouts/blackout.projection.ts';
import { PolicyWrites } from '../dispatch-ledger/policy-writes.ts';
import { DeclareBlackoutDto } from './declare-blackout.dto.ts';

/** Blackouts listed in one answer. */
const LISTED_MAX = 1_000;

@ApiTags('blackouts')
@ApiBearerAuth()
@Controller('v1/blackouts')
export class DeclareBlackoutController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  /** No call begins later than `GATE_VALID_MS` after the answer, queued work included (invariant 2). */
  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Let nothing leave to people who may be in these places, queued messages included' })
  declare(
    @Body() dto: DeclareBlackoutDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const { jurisdictions, categories, reason } = dto;
    return this.policy.write({ tenant, route: 'POST /v1/blackouts', key, body: dto, trace }, (at) => {
      const unknown = jurisdictions.filter((one) => one !== '*' && !isPlace(one));
      if (unknown.length > 0) throw unknownJurisdictions(unknown);
      const from = Math.max(at, dto.from === undefined ? at : Date.parse(dto.from));
      const until = dto.until === undefined ? undefined : Date.parse(dto.until);
      if (until !== undefined && until <= from) throw endsBeforeItBegins();
      const data = {
        blackoutId: this.newId(),
        jurisdictions,
        from: new Date(from).toISOString(),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
        ...(categories === undefined ? {} : { categories }),
        reason,
        declaredBy: actor,
      };
      return { type: 'blackout.declared.v1', key: BLACKOUTS_KEY, data, answer: data };
    });
  }

  @Post(':blackoutId/end')
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'End a blackout; what it held is looked at again at once' })
  async end(
    @Param('blackoutId', ParseUUIDPipe) blackoutId: string,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const route = 'POST /v1/blackouts/{id}/end';
    return this.policy.write({ tenant, route, key, body: { blackoutId }, trace }, async () => {
      const known = await this.db
        .collection<BlackoutDocument>(blackoutFold.collection)
        .findOne({ _id: blackoutId }, { readPreference: 'primary' });
      if (known?.tenant !== tenant) throw noSuchBlackout();
      const data = { blackoutId, endedBy: actor };
      return { type: 'blackout.ended.v1', key: BLACKOUTS_KEY, data, answer: data, status: 200 };
    });
  }

  @Get()
  @Roles('admin', 'operator', 'sender', 'auditor')
  @ApiOperation({ summary: 'The blackouts, those that were ended too' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ blackouts: object[] }> {
    const found = await this.db
      .collection<BlackoutDocument>(blackoutFold.collection)
      .find({ tenant }, { readPreference: 'primary' })
      .limit(LISTED_MAX)
      .toArray();
    return {
      blackouts: found.map(({ declared, endedAt, endedBy }) => ({
        ...declared,
        ...(endedAt === undefined ? {} : { endedAt, endedBy }),
      })),
    };
  }
}

/** It would hold nobody, and whoever declared it would believe that it does. */
function unknownJurisdictions(unknown: readonly string[]): Problem {
  return new Problem({
    status: 422,
    code: 'unknown-jurisdiction',
    title: 'There is no such country',
    detail: `Nothing was declared. Not known: ${unknown.join(', ')}. Name ISO 3166 countries or parts of them (GB, US-FL), or *.`,
  });
}

function endsBeforeItBegins(): Problem {
  return new Problem({
    status: 422,
    code: 'invalid-blackout',
    title: 'It would end before it begins',
    detail: 'until has to be later than from, and than now.',
  });
}

function noSuchBlackout(): Problem {
  return new Problem({
    status: 404,
    code: 'no-such-blackout',
    title: 'There is no such blackout',
    detail: 'Check the id. If it was declared a moment ago, give its position as Assent-Min-Position.',
  });
}
