import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

import { epochDayOf, isInstant } from './calendar.ts';
import { inPresentShape, isEarlierRuleSet } from './earlier-rule-set.ts';
import { JURISDICTION_FILE_SCHEMA } from './generated/jurisdiction-file-schema.ts';
import { type JurisdictionFile, type LocalWindow, type Rule, type RuleSet, WEEKDAYS } from './rule.ts';
import { isJurisdiction } from './rules-in-force.ts';
import { isKnownCountry } from './locate-recipient.ts';
import { SHIPPED_RULES } from './shipped-rules.ts';
import { isKnownZone } from './time-zones.ts';

/** More would make one decision slow; all that Assent ships are fewer than 250. */
const OWN_RULES_MAX = 200;
const SIGN_OFFS_MAX = 500;
/** As in the event that publishes a rule set. */
const VERSION_MAX = 1_000_000_000;
/** Faults told at once: enough to mend a file, and an answer of bounded size whatever was sent. */
const FAULTS_MAX = 50;

const exemption = {
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
} as const;

/** JSON Schema 2020-12 of a rule set; a rule is what it is in a jurisdiction file. `validateRuleSet` checks more. */
export const RULE_SET_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:assent:rule-set:2',
  type: 'object',
  required: ['id', 'version', 'effectiveFrom', 'base', 'signedOff', 'rules', 'exempt'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,47}$' },
    version: { type: 'integer', minimum: 1, maximum: VERSION_MAX },
    effectiveFrom: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$' },
    base: { type: 'string', minLength: 1, maxLength: 48 },
    signedOff: {
      type: 'array',
      maxItems: SIGN_OFFS_MAX,
      items: {
        type: 'object',
        required: ['ruleId', 'by', 'on', 'reason'],
        additionalProperties: false,
        properties: {
          ruleId: { $ref: '#/$defs/ruleId' },
          by: { type: 'string', minLength: 1, maxLength: 200 },
          on: { $ref: '#/$defs/date' },
          reason: { $ref: '#/$defs/text' },
        },
      },
    },
    rules: { type: 'array', maxItems: OWN_RULES_MAX, items: { $ref: '#/$defs/rule' } },
    exempt: { type: 'array', maxItems: 2, items: exemption },
  },
  $defs: JURISDICTION_FILE_SCHEMA.$defs,
} as const;

/** `path` is a JSON pointer; the empty string is the whole. `file` is the one that was named by who asked. */
export interface RuleSetFault {
  readonly file?: string;
  readonly path: string;
  readonly message: string;
}
export type RuleSetValidation =
  { readonly ok: true; readonly ruleSet: RuleSet } | { readonly ok: false; readonly faults: readonly RuleSetFault[] };
export type JurisdictionFileValidation =
  | { readonly ok: true; readonly jurisdictionFile: JurisdictionFile }
  | { readonly ok: false; readonly faults: readonly RuleSetFault[] };

// An `if` names a property that `allOf` requires elsewhere, which Ajv's strict mode cannot see.
const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictTuples: false,
  strictRequired: false,
  strictTypes: false,
});
const isShapedAsRuleSet = ajv.compile<RuleSet>(RULE_SET_SCHEMA);
const isShapedAsJurisdictionFile = ajv.compile<JurisdictionFile>(JURISDICTION_FILE_SCHEMA);

/**
 * Lists the faults of a rule set with their paths; never throws, whatever it is given. The shape before (`windows`) is
 * taken too: the answer has the set in the present shape, its faults have their paths in the shape that was given.
 */
export function validateRuleSet(value: unknown, file?: string): RuleSetValidation {
  if (isEarlierRuleSet(value)) return validateEarlier(value, file);
  if (!isShapedAsRuleSet(value)) return { ok: false, faults: shapeFaults(isShapedAsRuleSet, file) };
  const faults = [...rulesFaults(value.rules), ...ruleSetFaults(value)];
  return faults.length === 0 ? { ok: true, ruleSet: value } : { ok: false, faults: told(faults, file) };
}

function validateEarlier(value: { readonly windows: readonly unknown[] }, file: string | undefined): RuleSetValidation {
  if (value.windows.length === 0)
    return { ok: false, faults: told([{ path: '/windows', message: 'has no rule' }], file) };
  const validation = validateRuleSet(inPresentShape(value), file);
  if (validation.ok) return validation;
  const faults = validation.faults.map((fault) => ({ ...fault, path: fault.path.replace(/^\/rules/, '/windows') }));
  return { ok: false, faults };
}

/** Lists the faults of a jurisdiction file (`rules/*.json`) with their paths; never throws, whatever it is given. */
export function validateJurisdictionFile(value: unknown, file?: string): JurisdictionFileValidation {
  if (!isShapedAsJurisdictionFile(value)) return { ok: false, faults: shapeFaults(isShapedAsJurisdictionFile, file) };
  const faults = [...rulesFaults(value.rules), ...jurisdictionFileFaults(value)];
  return faults.length === 0 ? { ok: true, jurisdictionFile: value } : { ok: false, faults: told(faults, file) };
}

function shapeFaults(check: ValidateFunction, file: string | undefined): readonly RuleSetFault[] {
  // What `if` and `allOf` say about a part that failed is said better by the part itself.
  const errors = (check.errors ?? []).filter(({ keyword }) => keyword !== 'if' && keyword !== 'unevaluatedProperties');
  return told((errors.length > 0 ? errors : (check.errors ?? [])).map(faultOf), file);
}

function told(faults: readonly RuleSetFault[], file: string | undefined): readonly RuleSetFault[] {
  return faults.slice(0, FAULTS_MAX).map((fault) => ({ ...(file === undefined ? {} : { file }), ...fault }));
}

function faultOf(error: ErrorObject): RuleSetFault {
  const extra: unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
  const allowed: unknown = error.params['allowedValues'];
  const message = error.message ?? error.keyword;
  const detail = typeof extra === 'string' ? `: ${extra}` : Array.isArray(allowed) ? `: ${allowed.join(', ')}` : '';
  return { path: error.instancePath, message: message + detail };
}

function ruleSetFaults(ruleSet: RuleSet): RuleSetFault[] {
  const faults: RuleSetFault[] = [];
  if (!isInstant(ruleSet.effectiveFrom)) {
    faults.push({ path: '/effectiveFrom', message: 'is not an instant that exists' });
  }
  const shippedBase = Object.hasOwn(SHIPPED_RULES, ruleSet.base) ? SHIPPED_RULES[ruleSet.base] : undefined;
  const base = ruleSet.base === 'none' ? [] : shippedBase;
  if (base === undefined) {
    const bases = ['none', ...Object.keys(SHIPPED_RULES)].join(', ');
    return [...faults, { path: '/base', message: `is not known; there are ${bases}` }];
  }
  const shipped = new Map(base.flatMap(({ rules }) => rules).map((rule) => [rule.id, rule]));
  ruleSet.signedOff.forEach(({ ruleId, on }, index) => {
    const path = `/signedOff/${index}`;
    const status = shipped.get(ruleId)?.status;
    if (status === undefined) {
      faults.push({ path: `${path}/ruleId`, message: `${ruleId} is no rule of ${ruleSet.base}` });
    } else if (status === 'active') {
      faults.push({
        path: `${path}/ruleId`,
        message: `${ruleId} is active already; only a rule in shadow is signed off`,
      });
    }
    if (epochDayOf(on) === undefined) faults.push({ path: `${path}/on`, message: `${on} is not a date that exists` });
  });
  ruleSet.rules.forEach(({ id }, index) => {
    if (shipped.has(id)) faults.push({ path: `/rules/${index}/id`, message: `${id} is a rule of ${ruleSet.base}` });
  });
  return faults;
}

function jurisdictionFileFaults(file: JurisdictionFile): RuleSetFault[] {
  const faults: RuleSetFault[] = [];
  if (!isJurisdiction(file.jurisdiction)) {
    faults.push({ path: '/jurisdiction', message: `${file.jurisdiction} is not a country or part of one` });
  }
  (file.covers ?? []).forEach((territory, index) => {
    if (isKnownCountry(territory)) return;
    faults.push({ path: `/covers/${index}`, message: `${territory} is not a country or territory` });
  });
  file.rules.forEach(({ jurisdiction }, index) => {
    const belongs =
      file.jurisdiction === 'default'
        ? jurisdiction === 'default' || jurisdiction === '*'
        : jurisdiction === file.jurisdiction || jurisdiction.startsWith(`${file.jurisdiction}-`);
    if (belongs) return;
    const path = `/rules/${index}/jurisdiction`;
    faults.push({ path, message: `${jurisdiction} does not belong in the file of ${file.jurisdiction}` });
  });
  file.changelog.forEach(({ date }, index) => {
    if (epochDayOf(date) !== undefined) return;
    faults.push({ path: `/changelog/${index}/date`, message: `${date} is not a date that exists` });
  });
  return faults;
}

function rulesFaults(rules: readonly Rule[]): RuleSetFault[] {
  const seen = new Set<string>();
  return rules.flatMap((rule, index) => {
    const faults = ruleFaults(rule).map(({ path, message }) => ({ path: `/rules/${index}${path}`, message }));
    if (seen.has(rule.id)) faults.push({ path: `/rules/${index}/id`, message: `${rule.id} is used twice` });
    seen.add(rule.id);
    return faults;
  });
}

function ruleFaults(rule: Rule): RuleSetFault[] {
  const faults: RuleSetFault[] = [];
  if (!isJurisdiction(rule.jurisdiction)) {
    faults.push({ path: '/jurisdiction', message: `${rule.jurisdiction} is not a country or part of one` });
  }
  for (const name of ['appliesFrom', 'appliesUntil', 'verifiedOn'] as const) {
    const date = rule[name];
    if (date !== undefined && epochDayOf(date) === undefined) {
      faults.push({ path: `/${name}`, message: `${date} is not a date that exists` });
    }
  }
  if (rule.appliesFrom !== undefined && rule.appliesUntil !== undefined && rule.appliesUntil <= rule.appliesFrom) {
    faults.push({ path: '/appliesUntil', message: `ends on ${rule.appliesUntil}, before or when it begins` });
  }
  const rests = rule.sources.some(({ kind }) => kind === 'official' || kind === 'legal' || kind === 'own');
  if (rule.status === 'active' && !rests) {
    const message = 'is active without an official, legal or own source; such a rule stays in shadow';
    faults.push({ path: '/status', message });
  }
  if (rule.kind === 'content' && (rule.requires === 'advertising-label') !== (rule.label !== undefined)) {
    faults.push({ path: '/label', message: 'is needed by an advertising label, and by nothing else' });
  }
  return rule.kind === 'windows' ? [...faults, ...windowsFaults(rule)] : faults;
}

function windowsFaults(rule: Rule & { kind: 'windows' }): RuleSetFault[] {
  const lists: [path: string, windows: readonly LocalWindow[]][] = WEEKDAYS.map((weekday) => [
    `/weekdays/${weekday}`,
    rule.weekdays[weekday] ?? [],
  ]);
  if (typeof rule.holidays !== 'string') lists.push(['/holidays', rule.holidays]);
  lists.push(['/holidayEves', rule.holidayEves ?? []]);
  const faults = lists.flatMap(([path, windows]) => listFaults(path, windows));
  if (rule.zone !== undefined && !isKnownZone(rule.zone)) {
    faults.push({ path: '/zone', message: `${rule.zone} is not a time zone` });
  }
  return faults;
}

function listFaults(path: string, windows: readonly LocalWindow[]): RuleSetFault[] {
  return windows.flatMap(([from, to], index) => {
    if (from >= to) return [{ path: `${path}/${index}`, message: `ends at ${to}, before or when it begins (${from})` }];
    const previous = windows[index - 1];
    if (previous === undefined || previous[1] <= from) return [];
    const message = `begins at ${from}, before the one before it ends (${previous[1]})`;
    return [{ path: `${path}/${index}`, message }];
  });
}
