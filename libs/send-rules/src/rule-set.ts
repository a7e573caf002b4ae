import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { Temporal } from 'temporal-polyfill';

/** The classes of a dispatch (topic dispatch.events). */
export type DispatchClass = 'message' | 'opt-in-ask' | 'withdrawal-receipt';
/** The platform's template categories, and `service` for free text in an open service window. */
export type SendCategory = 'marketing' | 'utility' | 'authentication' | 'service';

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
/** Local wall times `HH:MM`, the first included, the second not; `24:00` is the end of the day. */
export type LocalWindow = readonly [from: string, to: string];

/** When something may leave, in the recipient's local time. A weekday that is not named allows nothing. */
export interface WindowRule {
  readonly id: string;
  /** The classes and categories that the rule is about; all of them when absent. */
  readonly classes?: readonly DispatchClass[];
  readonly categories?: readonly SendCategory[];
  readonly weekdays: Readonly<Partial<Record<Weekday, readonly LocalWindow[]>>>;
  /** Where the rule comes from: a law, a platform page, the tenant's own choice. */
  readonly source?: string;
}

/**
 * What may leave at any hour. Only what answers the person's own act can be exempt: the receipt of a withdrawal, and
 * the opt-in ask that the person's own message started.
 */
export type Exemption =
  { readonly class: 'withdrawal-receipt' } | { readonly class: 'opt-in-ask'; readonly selfStarted: true };

/** A versioned set of send rules: plain JSON, as `rule-set.published.v1` carries it. */
export interface RuleSet {
  readonly id: string;
  /** Counted from 1. */
  readonly version: number;
  /** RFC 3339, UTC. Which set is in force is the caller's choice; `evaluate` uses the one it is given. */
  readonly effectiveFrom: string;
  /** Every rule that matches class and category must allow the instant; when none matches, nothing may leave. */
  readonly windows: readonly WindowRule[];
  readonly exempt: readonly Exemption[];
}

/** `<id>@<version>`, the name under which a decision records its rule set. */
export function ruleSetReference(ruleSet: RuleSet): string {
  return `${ruleSet.id}@${ruleSet.version}`;
}

/** More would make one evaluation slow; no tenant's rules come near. */
const WINDOW_RULES_MAX = 100;
/** As in the event that publishes a rule set. */
const VERSION_MAX = 1_000_000_000;
const WINDOWS_PER_DAY_MAX = 12;
const FROM = '^([01][0-9]|2[0-3]):[0-5][0-9]$';
const TO = '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$';

const dayWindows = {
  type: 'array',
  maxItems: WINDOWS_PER_DAY_MAX,
  items: {
    type: 'array',
    prefixItems: [
      { type: 'string', pattern: FROM },
      { type: 'string', pattern: TO },
    ],
    minItems: 2,
    maxItems: 2,
  },
} as const;

/** JSON Schema 2020-12 of a rule set. `validateRuleSet` checks more: that windows have a length and do not overlap. */
export const RULE_SET_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:assent:rule-set:1',
  type: 'object',
  required: ['id', 'version', 'effectiveFrom', 'windows', 'exempt'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' },
    version: { type: 'integer', minimum: 1, maximum: VERSION_MAX },
    effectiveFrom: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$' },
    windows: {
      type: 'array',
      minItems: 1,
      maxItems: WINDOW_RULES_MAX,
      items: {
        type: 'object',
        required: ['id', 'weekdays'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' },
          classes: {
            type: 'array',
            minItems: 1,
            uniqueItems: true,
            items: { enum: ['message', 'opt-in-ask', 'withdrawal-receipt'] },
          },
          categories: {
            type: 'array',
            minItems: 1,
            uniqueItems: true,
            items: { enum: ['marketing', 'utility', 'authentication', 'service'] },
          },
          weekdays: {
            type: 'object',
            additionalProperties: false,
            properties: Object.fromEntries(WEEKDAYS.map((weekday) => [weekday, dayWindows])),
          },
          source: { type: 'string', maxLength: 500 },
        },
      },
    },
    exempt: {
      type: 'array',
      maxItems: 2,
      items: {
        oneOf: [
          {
            type: 'object',
            required: ['class'],
            additionalProperties: false,
            properties: { class: { const: 'withdrawal-receipt' } },
          },
          {
            type: 'object',
            required: ['class', 'selfStarted'],
            additionalProperties: false,
            properties: { class: { const: 'opt-in-ask' }, selfStarted: { const: true } },
          },
        ],
      },
    },
  },
} as const;

/** `path` is a JSON pointer into the rule set; the empty string is the whole. */
export interface RuleSetFault {
  readonly path: string;
  readonly message: string;
}
export type RuleSetValidation =
  { readonly ok: true; readonly ruleSet: RuleSet } | { readonly ok: false; readonly faults: readonly RuleSetFault[] };

const isShapedAsRuleSet = new Ajv2020({ allErrors: true, strict: true, strictTuples: false }).compile<RuleSet>(
  RULE_SET_SCHEMA,
);

/** Lists every fault of a rule set with its path; never throws, whatever it is given. */
export function validateRuleSet(value: unknown): RuleSetValidation {
  if (!isShapedAsRuleSet(value)) {
    return { ok: false, faults: (isShapedAsRuleSet.errors ?? []).map(faultOf) };
  }
  const faults = [...effectiveFromFaults(value), ...repeatedIds(value), ...value.windows.flatMap(windowFaults)];
  return faults.length === 0 ? { ok: true, ruleSet: value } : { ok: false, faults };
}

function faultOf(error: ErrorObject): RuleSetFault {
  const unknownProperty: unknown = error.params['additionalProperty'];
  const message = error.message ?? error.keyword;
  return {
    path: error.instancePath,
    message: typeof unknownProperty === 'string' ? `${message}: ${unknownProperty}` : message,
  };
}

function effectiveFromFaults(ruleSet: RuleSet): RuleSetFault[] {
  try {
    Temporal.Instant.from(ruleSet.effectiveFrom);
    return [];
  } catch {
    return [{ path: '/effectiveFrom', message: 'is not an instant that exists' }];
  }
}

function repeatedIds(ruleSet: RuleSet): RuleSetFault[] {
  const seen = new Set<string>();
  return ruleSet.windows.flatMap((rule, index) => {
    const repeated = seen.has(rule.id);
    seen.add(rule.id);
    return repeated ? [{ path: `/windows/${index}/id`, message: `${rule.id} is used twice` }] : [];
  });
}

function windowFaults(rule: WindowRule, ruleIndex: number): RuleSetFault[] {
  return WEEKDAYS.flatMap((weekday) => {
    const path = `/windows/${ruleIndex}/weekdays/${weekday}`;
    const windows = rule.weekdays[weekday] ?? [];
    return windows.flatMap(([from, to], index) => {
      if (from >= to)
        return [{ path: `${path}/${index}`, message: `ends at ${to}, before or when it begins (${from})` }];
      const previous = windows[index - 1];
      if (previous !== undefined && previous[1] > from) {
        return [
          { path: `${path}/${index}`, message: `begins at ${from}, before the one before it ends (${previous[1]})` },
        ];
      }
      return [];
    });
  });
}

const everyDay = (window: LocalWindow): WindowRule['weekdays'] =>
  Object.fromEntries(WEEKDAYS.map((weekday) => [weekday, [window]]));
const workdays = (window: LocalWindow): WindowRule['weekdays'] =>
  Object.fromEntries(WEEKDAYS.slice(0, 5).map((weekday) => [weekday, [window]]));

const EXEMPT: readonly Exemption[] = [{ class: 'withdrawal-receipt' }, { class: 'opt-in-ask', selfStarted: true }];

/**
 * Monday to Friday 10 to 17, everywhere: the hours that lie inside every national and state window on record but the
 * lunch gap of French voice calls. Used when a tenant has published no rule set.
 */
export const DEFAULT_RULE_SET: RuleSet = {
  id: 'default',
  version: 1,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  windows: [
    {
      id: 'workdays-10-to-17',
      weekdays: workdays(['10:00', '17:00']),
      source: "Assent's safe choice where the jurisdiction is not known",
    },
  ],
  exempt: EXEMPT,
};

/** Every day 8 to 21, so that the demo can run on any day. The hours are those of the US federal rule (47 CFR 64.1200). */
export const DEMO_RULE_SET: RuleSet = {
  id: 'demo',
  version: 1,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  windows: [{ id: 'every-day-8-to-21', weekdays: everyDay(['08:00', '21:00']), source: '47 CFR 64.1200(c)(1)' }],
  exempt: EXEMPT,
};
