/**
 * Countries whose WhatsApp ids differ from the number people dial. `dialled` and `other` are two ways to write the same
 * line; each is derived from the other, so the pairs are symmetric.
 */
interface VariantRule {
  /** Matches both ways of writing; captures what they share. */
  readonly pattern: RegExp;
  readonly forms: (shared: readonly string[]) => readonly [string, string];
  /** The form that is dialled, and so the one that is kept as E.164; `undefined` = as it came. */
  readonly dialled?: 0 | 1;
}

const RULES: readonly VariantRule[] = [
  // Brazil: mobile numbers got a ninth digit, a leading 9; ids of older accounts lack it. Subscriber numbers that
  // start with 2 to 5 are landlines and never had one.
  {
    pattern: /^55([1-9]{2})9?([6-9]\d{7})$/,
    forms: ([area = '', line = '']) => [`55${area}9${line}`, `55${area}${line}`],
    dialled: 0,
  },
  // Mexico: until 2019 mobile numbers were dialled with a 1 after the country code; older ids keep it.
  { pattern: /^521?([2-9]\d{9})$/, forms: ([line = '']) => [`52${line}`, `521${line}`], dialled: 0 },
  // Argentina: mobile numbers are dialled with a 9 after the country code from abroad, and people leave it out. The
  // same digits without it can be a landline, so the number is kept as it came.
  { pattern: /^549?([1-3]\d{9})$/, forms: ([line = '']) => [`549${line}`, `54${line}`] },
];

/** A number's digits in every way WhatsApp may write them, the given one first; a number without variants alone. */
export function waIdVariantsOf(digits: string): [string, ...string[]] {
  const forms = formsOf(digits)?.forms ?? [];
  return [digits, ...forms.filter((form) => form !== digits)];
}

/** The variant that is dialled, where the country has just one. */
export function dialledForm(digits: string): string {
  const match = formsOf(digits);
  return match?.rule.dialled === undefined ? digits : match.forms[match.rule.dialled];
}

function formsOf(digits: string): { rule: VariantRule; forms: readonly [string, string] } | undefined {
  for (const rule of RULES) {
    const shared = rule.pattern.exec(digits)?.slice(1);
    if (shared !== undefined) return { rule, forms: rule.forms(shared) };
  }
  return undefined;
}
