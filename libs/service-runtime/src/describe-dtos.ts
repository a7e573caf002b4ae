import { ApiProperty } from '@nestjs/swagger';
import type { ApiPropertyOptions } from '@nestjs/swagger';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';

type Dto = new () => object;

/** One rule of class-validator on a field. */
interface Rule {
  propertyName: string;
  /** `nestedValidation`, `conditionalValidation` (optional) or `customValidation` (all others). */
  type: string;
  name?: string;
  constraints?: readonly unknown[];
  each: boolean;
}

/** What a rule says in an OpenAPI schema, by its name. Rules without an entry add nothing. */
const SCHEMA_OF_RULE: Readonly<Record<string, (constraint: unknown) => Record<string, unknown>>> = {
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isBoolean: () => ({ type: 'boolean' }),
  isObject: () => ({ type: 'object', additionalProperties: true }),
  isUuid: () => ({ type: 'string', format: 'uuid' }),
  isRFC3339: () => ({ type: 'string', format: 'date-time' }),
  isIso8601: () => ({ type: 'string', format: 'date-time' }),
  isIn: (values) => ({ type: 'string', enum: values }),
  matches: (pattern) => ({ type: 'string', pattern: (pattern as RegExp).source }),
  minLength: (minLength) => ({ minLength }),
  maxLength: (maxLength) => ({ maxLength }),
  min: (minimum) => ({ minimum }),
  max: (maximum) => ({ maximum }),
  arrayMinSize: (minItems) => ({ minItems }),
  arrayMaxSize: (maxItems) => ({ maxItems }),
};

/** Rules about a list rather than its items, whatever their `each` says. */
const LIST_RULES: ReadonlySet<string> = new Set(['isArray', 'arrayMinSize', 'arrayMaxSize']);

/** Fields whose schema a DTO states itself; ours then keeps out of it. */
const OWN_PROPERTIES = 'swagger/apiModelPropertiesArray';

/**
 * Describes DTOs for the API document from the rules they are checked by, so that no field is said twice. Follows nested
 * DTOs. A field with an `@ApiProperty` of its own is left alone.
 */
export function describeDtos(dtos: readonly Dto[]): void {
  const open = [...dtos];
  const described = new Set<Dto>();
  for (let dto = open.pop(); dto !== undefined; dto = open.pop()) {
    if (described.has(dto)) continue;
    described.add(dto);
    open.push(...describe(dto));
  }
}

/** Describes one DTO and returns the DTOs nested in it. */
function describe(dto: Dto): Dto[] {
  const prototype = dto.prototype as object;
  const own = (Reflect.getMetadata(OWN_PROPERTIES, prototype) as string[] | undefined) ?? [];
  const nested: Dto[] = [];
  for (const [name, rules] of rulesByField(dto)) {
    if (own.includes(`:${name}`)) continue;
    const isList = rules.some((rule) => rule.each || LIST_RULES.has(rule.name ?? ''));
    const child = rules.some(({ type }) => type === 'nestedValidation') ? nestedDto(dto, name, isList) : undefined;
    if (child !== undefined) nested.push(child);
    const required = !rules.some((rule) => rule.name === 'isOptional');
    const schema = Object.assign(
      {},
      ...rules.map((rule) => SCHEMA_OF_RULE[rule.name ?? '']?.(rule.constraints?.[0]) ?? {}),
    ) as Record<string, unknown>;
    const type =
      child === undefined
        ? { type: 'object', ...schema }
        : { ...schema, type: () => child, additionalProperties: undefined };
    ApiProperty({ ...type, required, ...(isList ? { isArray: true } : {}) } as ApiPropertyOptions)(prototype, name);
  }
  return nested;
}

function rulesByField(dto: Dto): Map<string, Rule[]> {
  const fields = new Map<string, Rule[]>();
  for (const rule of getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false) as readonly Rule[]) {
    fields.set(rule.propertyName, [...(fields.get(rule.propertyName) ?? []), rule]);
  }
  return fields;
}

/** The class that class-transformer makes of the field: what `@Type` names. */
function nestedDto(dto: Dto, name: string, isList: boolean): Dto | undefined {
  const made = (plainToInstance(dto, { [name]: isList ? [{}] : {} }) as Record<string, unknown>)[name];
  const value: unknown = Array.isArray(made) ? made[0] : made;
  const nested = (value as { constructor?: Dto } | undefined)?.constructor;
  return nested === undefined || nested === (Object as unknown as Dto) ? undefined : nested;
}
