import { isPlace } from '@assent/send-rules';
import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  DB,
  IdempotencyKey,
  Problem,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { PolicyWrites } from '../dispatch-ledger/policy-writes.ts';
import { type HolidayDocument, holidayFold, HOLIDAYS_KEY } from '../holidays/holiday.projection.ts';
import { DeclareHolidayDto } from './declare-holiday.dto.ts';

/** Holidays listed in one answer. */
const LISTED_MAX = 5_000;

@ApiTags('holidays')
@ApiBearerAuth()
@Controller('v1/holidays')
export class DeclareHolidayController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
  ) {}

  /** What the calendars of this build can't know: days sighted by the moon, proclaimed, moved. The newest word counts. */
  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Make a day a public holiday of a place, or no holiday' })
  declare(
    @Body() { jurisdiction, date, holiday, name }: DeclareHolidayDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const data = { jurisdiction, date, holiday, name, declaredBy: actor };
    return this.policy.write({ tenant, route: 'POST /v1/holidays', key, body: data, trace }, () => {
      if (!isPlace(jurisdiction)) throw unknownJurisdiction(jurisdiction);
      return { type: 'holiday.declared.v1', key: HOLIDAYS_KEY, data, answer: data };
    });
  }

  @Get()
  @Roles('admin', 'operator', 'sender', 'auditor')
  @ApiOperation({ summary: 'The days that were declared' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ holidays: object[] }> {
    const found = await this.db
      .collection<HolidayDocument>(holidayFold.collection)
      .find({ tenant }, { readPreference: 'primary' })
      .sort({ _id: 1 })
      .limit(LISTED_MAX)
      .toArray();
    return { holidays: found.map(({ declared }) => declared) };
  }
}

/** It would change nobody's calendar, and whoever declared it would believe that it does. */
function unknownJurisdiction(unknown: string): Problem {
  return new Problem({
    status: 422,
    code: 'unknown-jurisdiction',
    title: 'There is no such country',
    detail: `Nothing was declared. Not known: ${unknown}. Name an ISO 3166 country or a part of one (GB, US-FL).`,
  });
}
