import { TIME_ZONES_VERSION } from './generated/time-zones.ts';
import { HOLIDAYS_VERSION } from './holidays.ts';
import { PHONE_DATA_VERSION } from './locate-recipient.ts';
import type { SendRulesVersions } from './send-question.ts';

/** Versions of everything but the rule set that an answer of this build rests on. */
export const SEND_RULES_VERSIONS: SendRulesVersions = {
  tzdb: TIME_ZONES_VERSION,
  phoneData: PHONE_DATA_VERSION,
  holidays: HOLIDAYS_VERSION,
};
