import { setTimeout as sleep } from 'node:timers/promises';
import { LATE_PROJECTIONS, WITHOUT_BARRIER } from '../test-builds/test-builds.ts';
import { noSendAfterStop, stopsUnderOffers } from './no-send-after-stop.ts';
import type { Scenario, Violation } from './scenario.ts';

/** Read models that are so late let a gate that does not wait miss a STOP by more than its decision is valid. */
const PROJECTION_DELAY_MS = 1_500;

const BUILD = [WITHOUT_BARRIER, LATE_PROJECTIONS];

/**
 * The control of `no-send-after-stop`: the same traffic and the same checker, on a build of dispatch whose gate does not
 * wait for its read models. The checker must find sends after an acknowledged STOP; a run in which it finds none fails.
 */
export const barrierOffIsSeen: Scenario = {
  name: 'barrier-off-is-seen',
  ciRuns: 0,
  invariants: ['I2'],
  platform: noSendAfterStop.platform,
  // Sends after a STOP stay in the evidence, so a later run would see those of this one.
  spoilsPlatform: true,
  async run(context) {
    const { platform, progress } = context;
    for (const part of platform.partsOf('dispatch')) platform.part(part).importAtNextStart(BUILD);
    await Promise.all(platform.partsOf('dispatch').map((part) => platform.restart(part)));
    const { findings } = await stopsUnderOffers(context, async (windowMs) => {
      for (const part of platform.partsOf('dispatch'))
        platform.part(part).tell({ projectionDelayMs: PROJECTION_DELAY_MS });
      await sleep(windowMs);
      for (const part of platform.partsOf('dispatch')) platform.part(part).tell({ projectionDelayMs: 0 });
      return {};
    });
    const late = findings.violations.filter(({ what }) => what.includes('began')).length;
    const allowed = findings.violations.filter(({ what }) => what.includes('was allowed')).length;
    const others = findings.violations.filter(({ what }) => !/began|was allowed/.test(what));
    for (const { invariant, what } of others) progress(`also found: ${invariant}: ${what}`);
    const violations: Violation[] = [];
    if (late === 0)
      violations.push({ invariant: 'I2', what: 'no call after a STOP was found though the barrier was off' });
    if (allowed === 0)
      violations.push({ invariant: 'I2', what: 'no decision after a STOP was found though the barrier was off' });
    return {
      violations,
      counts: { ...findings.counts, lateCallsFound: late, lateDecisionsFound: allowed, otherFound: others.length },
    };
  },
};
