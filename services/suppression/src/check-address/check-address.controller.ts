import { type Caller, CurrentCaller, Problem, Roles } from '@assent/service-runtime';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { recipientOf } from '../recipient-lookup/recipient.dto.ts';
import { CheckAddressDto, type CheckDto } from './check-address.dto.ts';
import { type Check, CheckAddresses, type CheckedAnswer } from './check-address.query.ts';

@ApiTags('checks')
@ApiBearerAuth()
@Controller('v1/checks')
export class CheckAddressController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  /** One check answers one object; a list answers `{ answers }` in the order asked. */
  @Post()
  @HttpCode(200)
  @Roles('sender', 'operator', 'auditor', 'service')
  @ApiOperation({ summary: 'Does anything forbid contacting these addresses?' })
  async check(
    @Body() dto: CheckAddressDto,
    @CurrentCaller() caller: Caller,
  ): Promise<CheckedAnswer | { answers: CheckedAnswer[] }> {
    const { checks, recipient, ...aspects } = dto;
    if ((checks === undefined) === (recipient === undefined)) throw unclear();
    if (checks !== undefined) {
      return { answers: await this.queries.execute(new CheckAddresses(caller.tenant, checks.map(checkOf))) };
    }
    const one = checkOf({ ...aspects, recipient } as CheckDto);
    const answers: CheckedAnswer[] = await this.queries.execute(new CheckAddresses(caller.tenant, [one]));
    const [answer] = answers;
    if (answer === undefined) throw unclear();
    return answer;
  }
}

function checkOf({ recipient, purposeId, category, senderId }: CheckDto): Check {
  return {
    recipient: recipientOf(recipient),
    ...(purposeId === undefined ? {} : { purposeId }),
    ...(category === undefined ? {} : { category }),
    ...(senderId === undefined ? {} : { senderId }),
  };
}

function unclear(): Problem {
  return new Problem({
    status: 400,
    code: 'invalid-request',
    title: 'The request is not valid',
    detail: 'Give either one check with a recipient, or checks, a list of them.',
  });
}
