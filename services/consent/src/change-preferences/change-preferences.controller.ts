import {
  Appender,
  type Caller,
  type Clock,
  CLOCK,
  CurrentCaller,
  CurrentTrace,
  IdempotencyKey,
  IdempotencyRecords,
  NEW_ID,
  type NewId,
  Problem,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Inject, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AddressDirectory } from '../address-directory/address-directory.ts';
import { consentEvent } from '../consent-events/consent-events.ts';
import { recipientOf } from '../recipient/recipient.dto.ts';
import { ChangePreferencesDto } from './change-preferences.dto.ts';

@ApiTags('preferences')
@ApiBearerAuth()
@Controller('v1/preferences')
export class ChangePreferencesController {
  constructor(
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(AddressDirectory) private readonly directory: AddressDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Put()
  @Roles('capture', 'operator')
  @ApiOperation({ summary: 'Record what a person wishes: time zone, language, region, quiet hours, how often' })
  change(
    @Body() dto: ChangePreferencesDto,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const recipient = recipientOf(dto.recipient);
    return this.writes.run({ tenant, route: 'PUT /v1/preferences', key, body: dto }, async () => {
      const subjectIds = await this.directory.find(tenant, recipient);
      const isForeign = 'subjectId' in recipient && !(await this.directory.isOf(tenant, recipient.subjectId));
      if (subjectIds.length === 0 || isForeign) throw nobody();
      const at = this.clock.now();
      const { timeZone, language, region, quietHours, frequency, cleared } = dto;
      const preferences = {
        ...(timeZone === undefined ? {} : { timeZone }),
        ...(language === undefined ? {} : { language }),
        ...(region === undefined ? {} : { region }),
        ...(quietHours === undefined ? {} : { quietHours: { from: quietHours.from, to: quietHours.to } }),
        ...(frequency === undefined
          ? {}
          : { frequency: { attemptsMax: frequency.attemptsMax, windowHours: frequency.windowHours } }),
        ...(cleared === undefined ? {} : { cleared }),
      };
      const events = subjectIds.map((subjectId) =>
        consentEvent({
          id: this.newId(),
          type: 'preferences.changed.v1',
          tenant,
          key: subjectId,
          at,
          data: { subjectId, ...preferences },
          trace,
        }),
      );
      return { records: this.appender.encode(events), status: 200, answer: { subjectIds } };
    });
  }
}

function nobody(): Problem {
  return new Problem({
    status: 404,
    code: 'no-such-person',
    title: 'Nobody is known under this address',
    detail: 'Preferences belong to a person who has opted in or out before.',
  });
}
