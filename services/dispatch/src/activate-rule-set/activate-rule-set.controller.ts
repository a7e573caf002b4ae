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
import { inForceFrom, lacksSecondPerson } from '../rule-sets/rule-set.projection.ts';
import { ActivateRuleSetDto } from './activate-rule-set.dto.ts';

@ApiTags('rule sets')
@ApiBearerAuth()
@Controller('v1/rule-sets/:ruleSetId/versions/:version/activation')
export class ActivateRuleSetController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
  ) {}

  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Put a version that ran in shadow in force; 409 while a sign-off that it needs is missing' })
  async activate(
    @Param('ruleSetId') ruleSetId: string,
    @Param('version', ParseIntPipe) version: number,
    @Body() { effectiveFrom: from }: ActivateRuleSetDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const route = 'POST /v1/rule-sets/{id}/versions/{version}/activation';
    return this.policy.write({ tenant, route, key, body: { ruleSetId, version, from }, trace }, async (at) => {
      const known = await findRuleSet(this.db, tenant, ruleSetId, version);
      if (known === undefined) throw noSuchRuleSet();
      if (lacksSecondPerson(known)) throw notSignedOff();
      if (inForceFrom(known) !== undefined) throw activatedBefore();
      const asked = from === undefined ? at : Date.parse(from);
      // Decisions of the past were made under other rules; nothing is rewritten.
      const effectiveFrom = new Date(Math.max(asked, at)).toISOString();
      const data = { ruleSetId, version, effectiveFrom, activatedBy: actor };
      return { type: 'rule-set.activated.v1', key: ruleSetId, data, answer: data };
    });
  }
}

function notSignedOff(): Problem {
  return new Problem({
    status: 409,
    code: 'second-person-needed',
    title: 'Nobody else has signed it off',
    detail:
      'This tenant wants a second person to look at a rule set before it takes effect. Ask somebody else to sign it off first.',
  });
}

function activatedBefore(): Problem {
  return new Problem({
    status: 409,
    code: 'rule-set-activated',
    title: 'It takes effect already',
    detail:
      'The version was activated, or published without a time in shadow. Publish a new version to change the rules.',
  });
}
