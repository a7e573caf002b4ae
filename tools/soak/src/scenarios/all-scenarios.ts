import type { Scenario, StandaloneScenario } from './scenario.ts';
import { auditKilled } from './audit-killed.ts';
import { auditOwnerFrozen, auditProcessKilled, logTampered } from './audit-specs.ts';
import { barrierOffIsSeen } from './barrier-off-is-seen.ts';
import { clock } from './clock.ts';
import { cluster } from './cluster.ts';
import { crash } from './crash.ts';
import { diskFull } from './disk-full.ts';
import { leaderless } from './leaderless.ts';
import { shutdown } from './shutdown.ts';
import { twoOfEverything } from './two-of-everything.ts';
import { providerReplies } from './provider-replies.ts';
import { withdrawalsGetIn } from './withdrawals-get-in.ts';
import { noSendAfterStop } from './no-send-after-stop.ts';

/** In the order in which they run; those that need the same platform stand together, so that they share one. */
export const SCENARIOS: readonly (Scenario | StandaloneScenario)[] = [
  crash,
  providerReplies,
  shutdown,
  diskFull,
  withdrawalsGetIn,
  clock,
  twoOfEverything,
  cluster,
  leaderless,
  auditKilled,
  noSendAfterStop,
  barrierOffIsSeen,
  auditProcessKilled,
  auditOwnerFrozen,
  logTampered,
];
