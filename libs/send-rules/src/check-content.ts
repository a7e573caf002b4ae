import { reason, ruleReason } from './reasons.ts';
import type { ContentRule } from './rule.ts';
import type { MessageContent, SendReason } from './send-question.ts';

/** WhatsApp's limits for templates: body and footer in characters, and the text of a button. */
const BODY_LENGTH_MAX = 1_024;
const FOOTER_LENGTH_MAX = 60;
const BUTTON_LENGTH_MAX = 25;
/** Shorteners that WhatsApp's review and carriers' filters name; a link through one hides where it leads. */
const SHORTENERS: ReadonlySet<string> = new Set([
  'bit.ly',
  'buff.ly',
  'cutt.ly',
  'goo.gl',
  'is.gd',
  'ow.ly',
  'rb.gy',
  'rebrand.ly',
  'shorturl.at',
  't.co',
  't.ly',
  'tiny.cc',
  'tinyurl.com',
]);
/**
 * Words that tell how to end messages; the languages of the rules' countries. A hint is one of them anywhere in the
 * text, the footer or a button. The FCC's list of conclusive words is among them (47 CFR 64.1200(a)(10)).
 */
const OPT_OUT_HINT =
  /\bstop\b|opt[ -]?out|unsubscribe|\bcancel\b|\bquit\b|\brevoke\b|abmelden|abbestellen|widerruf|désinscri|désabonn|\barrêt\b|cancelar|\bbaja\b|\bsair\b|descadastr|disiscri|annulla|iptal|\bret\b|수신\s?거부|إلغاء|ايقاف|إيقاف|hủy|từ chối|退订|取消|отпис|отказ|रोक|बंद/iu;
/** Advice is given when more of the letters than this are capitals, in a text long enough to tell. */
const CAPITALS_SHARE_MAX = 0.5;
const CAPITALS_LETTERS_MIN = 20;
const EXCLAMATIONS_MAX = 2;

/** What is wrong with a message, what fits, and what could be better. */
export interface ContentFindings {
  /** It may not leave as it is; waiting does not help. */
  readonly faults: readonly SendReason[];
  /** What took part and allows, and advice, which changes no verdict. */
  readonly fits: readonly SendReason[];
}

/** Holds a message against what the rules ask of its content and what the platform takes. Pure; no opinions. */
export function checkContent(content: MessageContent, rules: readonly ContentRule[], ruleSet: string): ContentFindings {
  const faults: SendReason[] = [];
  const fits: SendReason[] = [];
  const categories = { template: content.templateCategory, purpose: content.purposeCategory };
  if (content.templateCategory === 'marketing' && content.purposeCategory !== 'marketing') {
    faults.push(reason('category-exceeds-purpose', categories));
  } else {
    fits.push(reason('category-fits', categories));
  }
  for (const rule of rules) {
    const missing = missingOf(content, rule);
    if (missing === undefined) fits.push(ruleReason('content-fits', ruleSet, rule));
    else faults.push(ruleReason(missing, ruleSet, rule, rule.label === undefined ? {} : { label: rule.label }));
  }
  return { faults: [...faults, ...lengthFaults(content), ...linkFaults(content)], fits: [...fits, ...advice(content)] };
}

function missingOf(
  content: MessageContent,
  rule: ContentRule,
): 'sender-not-named' | 'opt-out-hint-missing' | 'advertising-label-missing' | undefined {
  switch (rule.requires) {
    case 'sender-named': {
      const name = content.senderName?.trim().toLowerCase() ?? '';
      return name !== '' && shownText(content).toLowerCase().includes(name) ? undefined : 'sender-not-named';
    }
    case 'opt-out-hint': {
      const hinted = content.buttons.some(({ optsOut }) => optsOut === true) || OPT_OUT_HINT.test(shownText(content));
      return hinted ? undefined : 'opt-out-hint-missing';
    }
    case 'advertising-label':
      return content.body.trimStart().startsWith(rule.label ?? '') ? undefined : 'advertising-label-missing';
  }
}

function lengthFaults(content: MessageContent): SendReason[] {
  const parts: [part: string, text: string, lengthMax: number][] = [
    ['body', content.body, BODY_LENGTH_MAX],
    ['footer', content.footer ?? '', FOOTER_LENGTH_MAX],
    ...content.buttons.map(({ text }): [string, string, number] => ['button', text, BUTTON_LENGTH_MAX]),
  ];
  return parts.flatMap(([part, text, lengthMax]) => {
    const length = Array.from(text).length;
    return length > lengthMax ? [reason('text-too-long', { part, length, lengthMax })] : [];
  });
}

function linkFaults(content: MessageContent): SendReason[] {
  const links = [
    ...[...`${content.body}\n${content.footer ?? ''}`.matchAll(/\b(?:https?:\/\/)[^\s<>"']+/giu)].map(([link]) => link),
    ...content.buttons.flatMap(({ url }) => (url === undefined ? [] : [url])),
  ];
  return links.flatMap((link) => {
    const { scheme = '', host = '' } =
      /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:[^/?#]*@)?(?<host>\[[^\]]*\]|[^/?#:]*)/iu.exec(link)?.groups ?? {};
    const name = host.toLowerCase().replace(/^www\./, '');
    return [
      ...(scheme.toLowerCase() === 'https' ? [] : [reason('link-not-https')]),
      ...(SHORTENERS.has(name) ? [reason('link-shortened', { host: name })] : []),
      ...(/^(\d{1,3}(\.\d{1,3}){3}|\[.*\]|0x[0-9a-f]+|\d+)$/u.test(name) ? [reason('link-to-bare-address')] : []),
    ];
  });
}

function advice(content: MessageContent): SendReason[] {
  const found: SendReason[] = [];
  const letters = content.body.match(/\p{Lu}|\p{Ll}/gu) ?? [];
  const capitals = content.body.match(/\p{Lu}/gu) ?? [];
  if (letters.length >= CAPITALS_LETTERS_MIN && capitals.length > letters.length * CAPITALS_SHARE_MAX) {
    found.push(reason('wording-capitals', { percent: Math.round((capitals.length / letters.length) * 100) }));
  }
  const count = (content.body.match(/[!！]/gu) ?? []).length;
  if (count > EXCLAMATIONS_MAX) found.push(reason('wording-exclamation', { count }));
  return found;
}

function shownText(content: MessageContent): string {
  return [content.body, content.footer ?? '', ...content.buttons.map(({ text }) => text)].join('\n');
}
