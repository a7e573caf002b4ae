import { type Caller, CurrentCaller, DB, Roles } from '@assent/service-runtime';
import { Controller, Get, Inject, Param, ParseIntPipe } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { findRuleSet, noSuchRuleSet } from '../rule-sets/find-rule-sets.ts';
import {
  type ShadowChange,
  type ShadowTallyDocument,
  shadowTallyFold,
  sumOfTallies,
} from './shadow-tally.projection.ts';

/** What a version in shadow would have changed so far. */
export interface ShadowReport {
  readonly ruleSetId: string;
  readonly version: number;
  /** Decisions that both the rules in force and the version made. */
  readonly decisions: number;
  readonly differing: number;
  /** By kind of difference, the most frequent first; `samples` are ids of dispatches. */
  readonly changes: readonly ShadowChange[];
}

@ApiTags('rule sets')
@ApiBearerAuth()
@Controller('v1/rule-sets/:ruleSetId/versions/:version/shadow-report')
export class ShadowReportController {
  constructor(@Inject(DB) private readonly db: Connection) {}

  @Get()
  @Roles('admin', 'operator', 'auditor')
  @ApiOperation({ summary: 'Which decisions a version in shadow would have changed, and by which rule' })
  async report(
    @Param('ruleSetId') ruleSetId: string,
    @Param('version', ParseIntPipe) version: number,
    @CurrentCaller() { tenant }: Caller,
  ): Promise<ShadowReport> {
    const known = await findRuleSet(this.db, tenant, ruleSetId, version);
    if (known === undefined) throw noSuchRuleSet();
    const tallies = await this.db
      .collection<ShadowTallyDocument>(shadowTallyFold.collection)
      .find({ version: known._id }, { readPreference: 'primary' })
      .toArray();
    const { decisions, changes } = sumOfTallies(tallies);
    const differing = changes.reduce((sum, change) => sum + change.decisions, 0);
    return { ruleSetId, version, decisions, differing, changes };
  }
}
