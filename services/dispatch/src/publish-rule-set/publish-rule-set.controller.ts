import { type RuleSet, validateRuleSet } from '@assent/send-rules';
import {
  Appender,
  type Caller,
  type Clock,
  CLOCK,
  CurrentCaller,
  CurrentTrace,
  DB,
  IdempotencyKey,
  IdempotencyRecords,
  Problem,
  type RequestTrace,
  Roles,
  UncheckedBody,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { policyEvent } from '../dispatch-ledger/policy-events.ts';
import { type RuleSetDocument, ruleSetDocumentId, ruleSetFold } from '../rule-sets/rule-set.projection.ts';

/** Versions of rule sets listed in one answer. */
const LISTED_MAX = 1_000;

@ApiTags('rule sets')
@ApiBearerAuth()
@Controller('v1/rule-sets')
export class PublishRuleSetController {
  constructor(
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(DB) private readonly db: Connection,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A version never changes: a new one gets a new name. */
  @Post()
  @Roles('admin', 'operator')
  @UncheckedBody('a rule set is checked by its JSON Schema, with the path of each fault')
  @ApiOperation({ summary: 'Publish a version of a rule set; it is in force from its effectiveFrom' })
  async publish(
    @Body() body: unknown,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const rules = validRuleSet(body);
    const { id: ruleSetId, version, effectiveFrom } = rules;
    const known = await this.db
      .collection<RuleSetDocument>(ruleSetFold.collection)
      .findOne({ _id: ruleSetDocumentId(tenant, ruleSetId, version) }, { readPreference: 'primary' });
    if (known !== null && JSON.stringify(known.rules) !== JSON.stringify(rules)) throw versionTaken();
    const data = {
      ruleSetId,
      version,
      rules: rules as unknown as Record<string, unknown>,
      effectiveFrom: new Date(effectiveFrom).toISOString(),
    };
    return this.writes.run({ tenant, route: 'POST /v1/rule-sets', key, body }, () => {
      const event = policyEvent({
        type: 'rule-set.published.v1',
        tenant,
        key: ruleSetId,
        at: this.clock.now(),
        data,
        trace,
      });
      return Promise.resolve({ records: this.appender.encode([event]), status: 201, answer: { ruleSetId, version } });
    });
  }

  @Get()
  @Roles('admin', 'operator', 'sender', 'auditor')
  @ApiOperation({ summary: 'Every published version of every rule set' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ ruleSets: RuleSet[] }> {
    const found = await this.db
      .collection<RuleSetDocument>(ruleSetFold.collection)
      .find({ tenant }, { readPreference: 'primary' })
      .limit(LISTED_MAX)
      .toArray();
    return { ruleSets: found.map(({ rules }) => rules) };
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
    detail: 'A published version never changes. Publish the change as a new version.',
  });
}
