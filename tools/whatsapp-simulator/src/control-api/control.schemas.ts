/** JSON Schemas of what the control API takes. Unknown fields are refused, so that a misspelt one is noticed. */
const WAIT_MAX_MS = 60_000;
const FAULT_TIMES_MAX = 1_000_000;
const DELAY_MAX_MS = 120_000;

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength });
const closed = (required: readonly string[], properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const delay = { type: 'integer', minimum: 0, maximum: DELAY_MAX_MS };
const digits = { type: 'string', pattern: '^[0-9]{5,20}$' };
const bsuid = { type: 'string', pattern: '^[A-Z]{2}\\.(ENT\\.)?[A-Za-z0-9]{1,128}$' };

export const person = {
  ...closed([], {
    phone: { type: 'string', pattern: '^\\+?[1-9][0-9]{6,16}$' },
    waId: digits,
    bsuid,
    parentBsuid: bsuid,
    name: text(200),
    username: { type: 'string', pattern: '^@.{1,64}$' },
    hidesPhone: { type: 'boolean' },
    behaviour: closed([], {
      deliver: { type: 'boolean' },
      autoReadAfterMs: delay,
      autoConfirmAfterMs: delay,
      failWithCode: { type: 'integer' },
    }),
  }),
  anyOf: [{ required: ['phone'] }, { required: ['waId'] }, { required: ['bsuid'] }],
};

const addressing = { phoneNumberId: digits, atMs: { type: 'integer', minimum: 0 } };
export const personMessage = {
  ...closed([], {
    text: text(65_536),
    button: closed([], {
      payload: text(1_000),
      text: text(200),
      messageId: text(200),
      forged: { type: 'boolean' },
    }),
    preference: { enum: ['stop', 'resume'] },
    raw: { ...closed(['type'], { type: text(40) }), additionalProperties: true },
    answers: text(200),
    ...addressing,
  }),
  oneOf: [{ required: ['text'] }, { required: ['button'] }, { required: ['preference'] }, { required: ['raw'] }],
};

export const template = closed(['name', 'language', 'category'], {
  name: text(512),
  language: text(20),
  category: { enum: ['marketing', 'utility', 'authentication'] },
  body: { type: 'string', maxLength: 1_024 },
  bodyParameters: { type: 'integer', minimum: 0, maximum: 100 },
  buttons: {
    type: 'array',
    maxItems: 10,
    items: closed(['kind', 'text'], { kind: { const: 'quick-reply' }, text: text(25) }),
  },
  status: { enum: ['APPROVED', 'PAUSED', 'DISABLED'] },
});

export const phoneNumber = closed(['id', 'displayPhoneNumber', 'wabaId', 'portfolioId'], {
  id: digits,
  displayPhoneNumber: digits,
  wabaId: digits,
  portfolioId: digits,
});

const times = { type: 'integer', minimum: 1, maximum: FAULT_TIMES_MAX, default: 1 };
const faultOf = (kind: string, required: readonly string[], properties: object) =>
  closed(['kind', ...required], { kind: { const: kind }, times, ...properties });
export const fault = {
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [
    faultOf('lose-reply', [], {}),
    faultOf('delay-reply', ['delayMs'], { delayMs: delay }),
    faultOf('reset-before-body', [], {}),
    faultOf('reset-after-body', [], {}),
    faultOf('error', ['code'], {
      code: { type: 'integer' },
      httpStatus: { type: 'integer', minimum: 400, maximum: 599 },
    }),
    faultOf('fail-status', ['code'], { code: { type: 'integer' } }),
    faultOf('duplicate-statuses', [], {}),
    faultOf('reorder-statuses', [], {}),
  ],
};

export const webhook = closed(['url'], { url: { type: 'string', pattern: '^https?://', maxLength: 2_000 } });
export const verifyWebhook = { ...closed([], { verifyToken: text(200) }), type: ['object', 'null'] };
export const update = closed(['field', 'value'], {
  field: text(100),
  value: { type: 'object' },
  phoneNumberId: digits,
  time: { type: 'integer', minimum: 0 },
});

export const wait = closed([], {
  after: { type: 'integer', minimum: 0 },
  min: { type: 'integer', minimum: 0 },
  waitMs: { type: 'integer', minimum: 0, maximum: WAIT_MAX_MS },
  settled: { type: 'boolean' },
});
