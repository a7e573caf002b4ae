import { GraphError } from '../graph-error.ts';

export interface TextContent {
  readonly type: 'text';
  readonly body: string;
}
export interface TemplateParameter {
  readonly name?: string;
  readonly text: string;
}
export interface TemplateContent {
  readonly type: 'template';
  readonly name: string;
  readonly language: string;
  readonly bodyParameters: readonly TemplateParameter[];
  /** Payloads given at send time, by the button's index. */
  readonly payloads: ReadonlyMap<number, string>;
}
export interface InteractiveContent {
  readonly type: 'interactive';
  readonly body: string;
  readonly buttons: readonly { readonly id: string; readonly title: string }[];
}
export type Content = TextContent | TemplateContent | InteractiveContent;

/** A well-formed request of `POST /{phone-number-id}/messages`. */
export interface OutgoingMessage {
  /** `to` or, without it, `recipient`, as the caller wrote it. */
  readonly input: string;
  /** Digits of `to`. When both are given, the phone wins. */
  readonly phone?: string;
  readonly bsuid?: string;
  readonly content: Content;
  readonly bizOpaqueCallbackData?: string;
}

// Limits of the Cloud API's message reference.
const TEXT_LENGTH_MAX = 4_096;
const INTERACTIVE_BODY_LENGTH_MAX = 1_024;
const REPLY_BUTTONS_MAX = 3;
const REPLY_ID_LENGTH_MAX = 256;
const REPLY_TITLE_LENGTH_MAX = 20;
const PAYLOAD_LENGTH_MAX = 128;
const TEMPLATE_BUTTONS_MAX = 10;
const CALLBACK_DATA_LENGTH_MAX = 512;
const TYPES = [
  'audio',
  'contacts',
  'document',
  'image',
  'interactive',
  'location',
  'reaction',
  'sticker',
  'template',
  'text',
  'video',
];

type Fields = Readonly<Record<string, unknown>>;

/** Reads a request body. Throws `GraphError` with the code the Cloud API answers. */
export function parseOutgoingMessage(body: string): OutgoingMessage {
  const fields = jsonObject(body);
  if (fields['messaging_product'] === undefined) throw missing('messaging_product');
  if (fields['messaging_product'] !== 'whatsapp') {
    throw new GraphError(100, "Param messaging_product must be one of {'whatsapp'}.");
  }
  const recipientType = fields['recipient_type'] ?? 'individual';
  if (recipientType !== 'individual') throw new GraphError(131009, 'Recipient type is not valid.');
  return {
    ...parseRecipient(fields),
    content: parseContent(fields),
    ...parseCallbackData(fields['biz_opaque_callback_data']),
  };
}

/** The fields of a request that a checker wants to see even when the request is refused; never throws. */
export function peekOutgoingMessage(body: string): {
  to?: string;
  recipient?: string;
  type?: string;
  template?: string;
  bizOpaqueCallbackData?: string;
} {
  try {
    const fields = jsonObject(body);
    const template = fields['template'];
    return {
      ...stringField('to', fields['to']),
      ...stringField('recipient', fields['recipient']),
      ...stringField('type', fields['type']),
      ...stringField('template', isObject(template) ? template['name'] : undefined),
      ...stringField('bizOpaqueCallbackData', fields['biz_opaque_callback_data']),
    };
  } catch {
    return {};
  }
}

function parseRecipient(fields: Fields): Pick<OutgoingMessage, 'input' | 'phone' | 'bsuid'> {
  const { to, recipient } = fields;
  if (to !== undefined) {
    const phone = typeof to === 'string' ? to.replace(/[\s()+.-]/g, '') : '';
    if (typeof to !== 'string' || !/^[1-9]\d{6,16}$/.test(phone)) {
      throw new GraphError(131009, 'Parameter to is not a valid phone number.');
    }
    return { input: to, phone };
  }
  if (recipient === undefined) throw missing('to');
  if (typeof recipient !== 'string' || !/^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/.test(recipient)) {
    throw new GraphError(131009, 'Parameter recipient is not a valid user id.');
  }
  return { input: recipient, bsuid: recipient };
}

function parseContent(fields: Fields): Content {
  const type = fields['type'] ?? 'text';
  if (typeof type !== 'string' || !TYPES.includes(type)) {
    throw new GraphError(100, `Param type must be one of {${TYPES.join(', ')}}.`);
  }
  const content = fields[type];
  if (type !== 'text' && type !== 'template' && type !== 'interactive') {
    throw new GraphError(131051, `Messages of type ${type} are not simulated.`);
  }
  if (!isObject(content)) throw new GraphError(131008, `Parameter ${type} is required and has to be an object.`);
  if (type === 'text') return parseText(content);
  return type === 'template' ? parseTemplate(content) : parseInteractive(content);
}

function parseText(text: Fields): TextContent {
  const body = requiredString(text['body'], "text['body']");
  if (body.length > TEXT_LENGTH_MAX) {
    throw new GraphError(100, `Param text['body'] must be at most ${TEXT_LENGTH_MAX} characters long.`);
  }
  return { type: 'text', body };
}

function parseTemplate(template: Fields): TemplateContent {
  const name = requiredString(template['name'], "template['name']");
  const language = template['language'];
  if (!isObject(language)) throw new GraphError(131008, "Parameter template['language'] is required.");
  const code = requiredString(language['code'], "template['language']['code']");
  const components = list(template['components'] ?? [], 'components');
  const payloads = new Map<number, string>();
  let bodyParameters: TemplateParameter[] = [];
  for (const component of components) {
    const parameters = list(component['parameters'] ?? [], 'parameters');
    const type = String(component['type']).toLowerCase();
    if (type === 'body') bodyParameters = parameters.map(parseTextParameter);
    else if (type === 'button') payloads.set(...parseButton(component, parameters));
    else if (type !== 'header' && type !== 'footer') {
      throw new GraphError(131009, `Component type ${type} is not valid.`);
    } else if (parameters.length > 0) {
      throw new GraphError(132012, `The ${type} of this template has no parameters.`);
    }
  }
  return { type: 'template', name, language: code, bodyParameters, payloads };
}

function parseTextParameter(parameter: Fields): TemplateParameter {
  const { type, text, parameter_name: name } = parameter;
  if (type === undefined) throw new GraphError(131008, 'Parameter type is missing in a template parameter.');
  if (type !== 'text') throw new GraphError(132012, 'Expected a parameter of type text.');
  const value = requiredString(text, 'text of a template parameter');
  if (/[\n\t]| {5,}/.test(value)) {
    throw new GraphError(
      132018,
      'Param text cannot have new-line or tab characters or more than 4 consecutive spaces.',
    );
  }
  return { text: value, ...(typeof name === 'string' ? { name } : {}) };
}

function parseButton(component: Fields, parameters: readonly Fields[]): [index: number, payload: string] {
  const index = Number(component['index']);
  if (component['index'] === undefined) throw new GraphError(131008, 'Parameter index of a button is required.');
  if (!Number.isInteger(index) || index < 0 || index >= TEMPLATE_BUTTONS_MAX) {
    throw new GraphError(131009, 'Parameter index of a button is not valid.');
  }
  if (component['sub_type'] !== 'quick_reply') {
    throw new GraphError(131009, 'Only buttons of sub_type quick_reply are simulated.');
  }
  const parameter = parameters[0];
  if (parameters.length !== 1 || parameter?.['type'] !== 'payload') {
    throw new GraphError(132012, 'A quick reply takes one parameter of type payload.');
  }
  const payload = requiredString(parameter['payload'], 'payload of a button');
  if (payload.length > PAYLOAD_LENGTH_MAX) {
    throw new GraphError(131009, `The payload of a button must be at most ${PAYLOAD_LENGTH_MAX} characters long.`);
  }
  return [index, payload];
}

function parseInteractive(interactive: Fields): InteractiveContent {
  if (interactive['type'] !== 'button')
    throw new GraphError(131051, 'Only interactive messages of type button are simulated.');
  const { body, action } = interactive;
  const text = requiredString(isObject(body) ? body['text'] : undefined, "interactive['body']['text']");
  if (text.length > INTERACTIVE_BODY_LENGTH_MAX) throw new GraphError(131009, 'The body text is too long.');
  const buttons = list(isObject(action) ? (action['buttons'] ?? []) : [], 'buttons');
  if (buttons.length === 0 || buttons.length > REPLY_BUTTONS_MAX) {
    throw new GraphError(
      131009,
      `Invalid buttons count. Min allowed buttons: 1, max allowed buttons: ${REPLY_BUTTONS_MAX}.`,
    );
  }
  return {
    type: 'interactive',
    body: text,
    buttons: buttons.map(({ reply }) => {
      const id = requiredString(isObject(reply) ? reply['id'] : undefined, 'id of a button');
      const title = requiredString(isObject(reply) ? reply['title'] : undefined, 'title of a button');
      if (id.length > REPLY_ID_LENGTH_MAX) throw new GraphError(131009, 'The id of a button is too long.');
      if (title.length > REPLY_TITLE_LENGTH_MAX) throw new GraphError(131009, 'The title of a button is too long.');
      return { id, title };
    }),
  };
}

function parseCallbackData(value: unknown): Pick<OutgoingMessage, 'bizOpaqueCallbackData'> {
  if (value === undefined) return {};
  if (typeof value !== 'string' || value.length > CALLBACK_DATA_LENGTH_MAX) {
    throw new GraphError(
      100,
      `Param biz_opaque_callback_data must be a string of at most ${CALLBACK_DATA_LENGTH_MAX} characters.`,
    );
  }
  return { bizOpaqueCallbackData: value };
}

function jsonObject(body: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new GraphError(100, 'The request body is not valid JSON.');
  }
  if (!isObject(parsed)) throw new GraphError(100, 'The request body has to be a JSON object.');
  return parsed;
}

function requiredString(value: unknown, name: string): string {
  if (value === undefined || value === null || value === '')
    throw new GraphError(131008, `Parameter ${name} is required.`);
  if (typeof value !== 'string') throw new GraphError(131009, `Parameter ${name} has to be a string.`);
  return value;
}

function list(value: unknown, name: string): readonly Fields[] {
  if (!Array.isArray(value) || !value.every(isObject)) {
    throw new GraphError(131009, `Parameter ${name} has to be a list of objects.`);
  }
  return value;
}

function stringField<K extends string>(key: K, value: unknown): Partial<Record<K, string>> {
  return typeof value === 'string' ? ({ [key]: value } as Record<K, string>) : {};
}

const missing = (name: string) => new GraphError(100, `The parameter ${name} is required.`);
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
