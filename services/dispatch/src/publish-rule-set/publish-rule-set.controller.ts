import { canonicalJson } from '@assent/contracts';
import { type RuleSet, validateRuleSet } from '@assent/send-rules';
import {
  type Caller,
  type Clock,
  CLOCK,
  CurrentCaller,
  CurrentTrace,
  DB,
  IdempotencyKey,
  Problem,
  type RequestTrace,
  Roles,
  RUNTIME_CONFIG,
  UncheckedBody,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import type { DispatchConfig } from '../config.ts';
import { PolicyWrites } from '../dispatch-ledger/policy-writes.ts';
import { findRuleSet, ruleSetsOf } from '../rule-sets/find-rule-sets.ts';
import { PublishRuleSetDto } from './publish-rule-set.dto.ts';
import { type RuleSetView, ruleSetView } from './rule-set-view.ts';

@ApiTags('rule sets')
@ApiBearerAuth()
@Controller('v1/rule-sets')
export class PublishRuleSetController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RUNTIME_CONFIG) private readonly config: DispatchConfig,
  ) {}

  /**
   * A version never changes: a new one gets a new name. It is in force from its `effectiveFrom`; with `shadow=true`, and
   * always for tenants that want a second person, from its activation, and until then it runs beside what is in force.
   */
  @Post()
  @Roles('admin', 'operator')
  @UncheckedBody('a rule set is checked by its JSON Schema, with the path of each fault')
  @ApiOperation({ summary: 'Publish a version of a rule set, in force from its effectiveFrom or first in shadow' })
  async publish(
    @Body() body: unknown,
    @Query() query: PublishRuleSetDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const rules = validRuleSet(body);
    const { id: ruleSetId, version, effectiveFrom } = rules;
    const secondPerson = this.config.DISPATCH_SECOND_PERSON_TENANTS.includes(tenant);
    const shadow = secondPerson || query.shadow === 'true';
    const known = await findRuleSet(this.db, tenant, ruleSetId, version);
    // The log sorts the members of an object, so a set comes back in another order than it was sent.
    const isChanged = known !== undefined && canonicalJson(known.rules) !== canonicalJson(rules);
    if (isChanged || (known !== undefined && known.shadow !== shadow)) throw versionTaken();
    const data = {
      ruleSetId,
      version,
      rules: rules as unknown as Record<string, unknown>,
      effectiveFrom: new Date(effectiveFrom).toISOString(),
      publishedBy: actor,
      ...(shadow ? { shadow } : {}),
      ...(secondPerson ? { secondPerson } : {}),
    };
    return this.policy.write({ tenant, route: 'POST /v1/rule-sets', key, body: { rules, shadow }, trace }, () => ({
      type: 'rule-set.published.v1',
      key: ruleSetId,
      data,
      answer: { ruleSetId, version },
    }));
  }

  @Get()
  @Roles('admin', 'operator', 'sender', 'auditor')
  @ApiOperation({
    summary:
      'Every published version of every rule set: its stage, who published and signed it off, from when it applies',
  })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ ruleSets: RuleSetView[] }> {
    const found = await ruleSetsOf(this.db, tenant);
    const now = this.clock.now();
    return { ruleSets: found.map((document) => ruleSetView(document, found, now)) };
  }
}

function validRuleSet(body: unknown): RuleSet {
  const result = validateRuleSet(body);
  if (result.ok) return result.ruleSet;
  throw new Problem({
    status: 422,
    code: 'invalid-rule-set',
    title: 'The rule set is not valid',
    detail: 'Nothing was published. Mend the faults listed and publish again.',
    extra: { faults: result.faults },
  });
}

function versionTaken(): Problem {
  return new Problem({
    status: 409,
    code: 'rule-set-version-taken',
    title: 'This version is published already',
    detail:
      'A published version never changes, nor does whether it began in shadow. Publish the change as a new version.',
  });
}
