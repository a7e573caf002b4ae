import { GraphError } from '../graph-error.ts';
import type { TemplateContent } from './outgoing-message.ts';

export type TemplateCategory = 'marketing' | 'utility' | 'authentication';

/** A message template as the business account holds it. */
export interface Template {
  readonly name: string;
  readonly language: string;
  readonly category: TemplateCategory;
  /** With `{{1}}` or `{{name}}` where the parameters go. */
  readonly body?: string;
  /** Number of body parameters; when absent, as many as the body has places for. */
  readonly bodyParameters?: number;
  readonly buttons?: readonly { readonly kind: 'quick-reply'; readonly text: string }[];
  readonly status?: 'APPROVED' | 'PAUSED' | 'DISABLED';
}

/** What the person sees. */
export interface RenderedMessage {
  readonly text: string;
  readonly buttons: readonly { readonly text: string; readonly payload: string }[];
}

/** A business account holds at most 6,000 templates per language set; tests need few. */
const TEMPLATES_MAX = 6_000;
const RENDERED_LENGTH_MAX = 1_024;
const PLACES = /\{\{\s*(\w+)\s*\}\}/g;

export class Templates {
  private readonly known = new Map<string, Template>();

  /** @param acceptAny whether a template that nobody registered is taken as it comes (category marketing). */
  constructor(private readonly acceptAny: boolean) {}

  register(template: Template): void {
    if (this.known.size >= TEMPLATES_MAX) throw new RangeError(`more than ${TEMPLATES_MAX} templates`);
    this.known.set(keyOf(template), template);
  }

  list(): readonly Template[] {
    return [...this.known.values()];
  }

  clear(): void {
    this.known.clear();
  }

  /** Throws `GraphError` 132001, 132015 or 132016 when it cannot be sent. */
  find(content: TemplateContent): Template {
    const template = this.known.get(keyOf(content)) ?? (this.acceptAny ? asItComes(content) : undefined);
    if (template === undefined) {
      throw new GraphError(132001, `template name (${content.name}) does not exist in ${content.language}`);
    }
    if (template.status === 'PAUSED') throw new GraphError(132015, `template ${template.name} is paused`);
    if (template.status === 'DISABLED') throw new GraphError(132016, `template ${template.name} is disabled`);
    return template;
  }
}

/** Fills a template. Throws `GraphError` when the parameters do not fit. */
export function renderTemplate(template: Template, content: TemplateContent): RenderedMessage {
  const body = template.body ?? '';
  const expected = template.bodyParameters ?? new Set([...body.matchAll(PLACES)].map(([, name]) => name)).size;
  const given = content.bodyParameters;
  if (given.length !== expected) {
    throw new GraphError(
      132000,
      `body: number of localizable_params (${given.length}) does not match the expected number of params (${expected})`,
    );
  }
  const buttons = template.buttons ?? [];
  for (const index of content.payloads.keys()) {
    if (index >= buttons.length) throw new GraphError(131009, `button index ${index} is out of range`);
  }
  const filled = body.replaceAll(PLACES, (place, name: string) => {
    const value = given.find((parameter) => parameter.name === name) ?? given[Number(name) - 1];
    return value?.text ?? place;
  });
  const text = filled === '' ? given.map((parameter) => parameter.text).join(' ') : filled;
  if (text.length > RENDERED_LENGTH_MAX) {
    throw new GraphError(132005, `body: translated text too long (${text.length} > ${RENDERED_LENGTH_MAX})`);
  }
  return {
    text,
    buttons: buttons.map((button, index) => ({
      text: button.text,
      payload: content.payloads.get(index) ?? button.text,
    })),
  };
}

function asItComes(content: TemplateContent): Template {
  const buttons = Math.max(-1, ...content.payloads.keys()) + 1;
  return {
    name: content.name,
    language: content.language,
    category: 'marketing',
    bodyParameters: content.bodyParameters.length,
    buttons: Array.from({ length: buttons }, (_, index) => ({ kind: 'quick-reply', text: `Button ${index + 1}` })),
  };
}

const keyOf = ({ name, language }: { name: string; language: string }): string => `${name}|${language}`;
