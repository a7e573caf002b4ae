import { ASSENT_1 } from './generated/shipped-rules-1.ts';
import type { JurisdictionFile } from './rule.ts';

/** The base that a rule set without one of its own takes. */
export const SHIPPED_RULES_LATEST = 'assent@1';

/** Everything Assent ships, by the name under which a rule set takes it as its base; a version never changes. */
export const SHIPPED_RULES: Readonly<Record<string, readonly JurisdictionFile[]>> = { 'assent@1': ASSENT_1 };
