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
import { Body, Controller, Inject, Param, ParseIntPipe, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { PolicyWrites } from '../dispatch-ledger/policy-writes.ts';
import { findRuleSet, noSuchRuleSet } from '../rule-sets/find-rule-sets.ts';
import { SignOffRuleSetDto } from './sign-off-rule-set.dto.ts';

@ApiTags('rule sets')
@ApiBearerAuth()
@Controller('v1/rule-sets/:ruleSetId/versions/:version/sign-offs')
export class SignOffRuleSetController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
  ) {}

  /** Whoever signs vouches for the version as it stands; where a second person is wanted, the publisher can't be that one. */
  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Sign off a version of a rule set; 409 for its publisher where a second person is wanted' })
  async signOff(
    @Param('ruleSetId') ruleSetId: string,
    @Param('version', ParseIntPipe) version: number,
    @Body() { note }: SignOffRuleSetDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const known = await findRuleSet(this.db, tenant, ruleSetId, version);
    if (known === undefined) throw noSuchRuleSet();
    if (known.secondPerson && known.publishedBy === actor) throw samePerson();
    const data = { ruleSetId, version, signedOffBy: actor, ...(note === undefined ? {} : { note }) };
    const route = 'POST /v1/rule-sets/{id}/versions/{version}/sign-offs';
    return this.policy.write({ tenant, route, key, body: data, trace }, () => ({
      type: 'rule-set.signed-off.v1',
      key: ruleSetId,
      data,
      answer: data,
    }));
  }
}

function samePerson(): Problem {
  return new Problem({
    status: 409,
    code: 'second-person-needed',
    title: 'Its publisher can not sign it off',
    detail:
      'This tenant wants a second person to look at a rule set before it takes effect. Ask somebody else to sign it off.',
  });
}
