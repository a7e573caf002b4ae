import { MESSAGES_EN, type ReasonCode } from './messages/en.ts';
import type { Rule } from './rule.ts';
import type { SendReason } from './send-question.ts';

const templates = new Map(Object.entries(MESSAGES_EN).map(([code, text]) => [code, text.split(/[{}]/)]));

/** A reason in English; its code is the key of the text in other languages. */
export function reason(
  code: ReasonCode,
  params: Readonly<Record<string, string | number>> = {},
  more: Pick<SendReason, 'ref' | 'sources'> = {},
): SendReason {
  // Words at even places, names of parameters at odd ones.
  const parts = templates.get(code) ?? [];
  let text = parts[0] ?? '';
  for (let index = 1; index < parts.length; index += 2) {
    const name = parts[index] ?? '';
    text += `${params[name] ?? `{${name}}`}${parts[index + 1] ?? ''}`;
  }
  return { code, text, params, ...more };
}

/** A reason that rests on a rule of a rule set (`<id>@<version>`). */
export function ruleReason(
  code: ReasonCode,
  ruleSet: string,
  rule: Rule,
  params: Readonly<Record<string, string | number>> = {},
): SendReason {
  return reason(
    code,
    { rule: rule.id, jurisdiction: rule.jurisdiction, ...params },
    { ref: `${ruleSet}#${rule.id}`, sources: rule.sources },
  );
}
