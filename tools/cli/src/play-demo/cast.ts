/** Who and what the story is about. Numbers are of the range that belongs to nobody (+1 555-01xx). */
export const SENDER_ID = '100000000000001';
export const PURPOSE_ID = 'monthly-offers';
export const NOTICE_ID = 'offers-notice';
export const CAPTURE_POINT_ID = 'website';
export const PUBLIC_CODE = 'acme.website';
export const KEYWORD = 'JOIN';
export const LANGUAGE = 'en';

export const ADA = { name: 'Ada', phone: '+12125550101' } as const;
export const BEN = { name: 'Ben', phone: '+12125550102' } as const;
export const CHLOE = { name: 'Chloe', phone: '+12125550103' } as const;
export const DAN = { name: 'Dan', phone: '+12125550104' } as const;
export const PEOPLE = [ADA, BEN, CHLOE, DAN] as const;
export type Person = (typeof PEOPLE)[number];

export const SENDER = {
  senderId: SENDER_ID,
  portfolioId: '200000000000001',
  displayName: 'Acme Books',
  businessNumber: '12025550100',
  ratePerSecond: 20,
  receiptTemplate: { name: 'stop_receipt', language: LANGUAGE },
} as const;

export const CONFIRM_TEMPLATE = {
  name: 'confirm_opt_in',
  language: LANGUAGE,
  category: 'utility',
  body: 'You asked Acme Books for its monthly offers. Press Yes to confirm, or open {{1}}. Not you? Ignore this message.',
  bodyParameters: 1,
  buttons: [{ kind: 'quick-reply', text: 'Yes' }],
} as const;

export const RECEIPT_TEMPLATE = {
  name: SENDER.receiptTemplate.name,
  language: LANGUAGE,
  category: 'utility',
  body: 'You will get no more messages from Acme Books. To come back, write JOIN.',
  bodyParameters: 0,
} as const;

export const OFFERS_TEMPLATE = {
  name: 'monthly_offers',
  language: LANGUAGE,
  category: 'marketing',
  body: 'Hello {{1}}, the offers of {{2}} are out.',
  bodyParameters: 2,
  buttons: [{ kind: 'quick-reply', text: 'Stop', optsOut: true }],
} as const;

export const PURPOSE = {
  purposeId: PURPOSE_ID,
  name: 'Monthly offers',
  description: 'One message a month with the offers of the month.',
  category: 'marketing',
} as const;

export const NOTICE = {
  noticeId: NOTICE_ID,
  version: 1,
  purposeIds: [PURPOSE_ID],
  controllerName: 'Acme Books Ltd',
  texts: [
    {
      language: LANGUAGE,
      title: 'Monthly offers on WhatsApp',
      body: 'Acme Books Ltd sends you one message a month on WhatsApp with its offers. It is free, and you can stop at any time.',
      checkbox: 'Yes, send me the monthly offers on WhatsApp.',
      optOutHint: 'Answer STOP to stop.',
    },
  ],
} as const;

export const CAPTURE_POINT = {
  capturePointId: CAPTURE_POINT_ID,
  methods: ['form', 'button', 'qr', 'keyword'],
  noticeId: NOTICE_ID,
  senderId: SENDER_ID,
  keyword: KEYWORD,
  language: LANGUAGE,
  confirmationTemplate: { name: CONFIRM_TEMPLATE.name, language: LANGUAGE },
} as const;
