/** What every run is about: one sender, one purpose, three templates. */
export const TENANT = 'acme';
export const SENDER_ID = '100000000000001';
export const PURPOSE_ID = 'soak-offers';
export const CATEGORY = 'marketing';
export const KEYWORD = 'JOIN';
const LANGUAGE = 'en';

export const SENDER = {
  senderId: SENDER_ID,
  portfolioId: '200000000000001',
  displayName: 'Acme Books',
  businessNumber: '12025550100',
  ratePerSecond: 500,
  receiptTemplate: { name: 'stop_receipt', language: LANGUAGE },
} as const;

export const OFFERS = { name: 'soak_offers', language: LANGUAGE } as const;

export const TEMPLATES = [
  {
    name: 'confirm_opt_in',
    language: LANGUAGE,
    category: 'utility',
    body: 'You asked Acme Books for its offers. Press Yes to confirm, or open {{1}}. Not you? Ignore this message.',
    bodyParameters: 1,
    buttons: [{ kind: 'quick-reply', text: 'Yes' }],
  },
  {
    name: SENDER.receiptTemplate.name,
    language: LANGUAGE,
    category: 'utility',
    body: 'You will get no more messages from Acme Books. To come back, write JOIN.',
    bodyParameters: 0,
  },
  {
    ...OFFERS,
    category: CATEGORY,
    body: 'Offer {{1}} of Acme Books.',
    bodyParameters: 1,
    buttons: [{ kind: 'quick-reply', text: 'Stop', optsOut: true }],
  },
] as const;

export const PURPOSE = {
  purposeId: PURPOSE_ID,
  name: 'Offers',
  description: 'Messages with offers.',
  category: CATEGORY,
} as const;

export const NOTICE = {
  noticeId: 'soak-notice',
  version: 1,
  purposeIds: [PURPOSE_ID],
  controllerName: 'Acme Books Ltd',
  texts: [
    {
      language: LANGUAGE,
      title: 'Offers on WhatsApp',
      body: 'Acme Books Ltd sends you its offers on WhatsApp. It is free, and you can stop at any time.',
      checkbox: 'Yes, send me the offers on WhatsApp.',
      optOutHint: 'Answer STOP to stop.',
    },
  ],
} as const;

export const CAPTURE_POINT = {
  capturePointId: 'soak',
  methods: ['form', 'keyword'],
  noticeId: NOTICE.noticeId,
  senderId: SENDER_ID,
  keyword: KEYWORD,
  language: LANGUAGE,
  confirmationTemplate: { name: TEMPLATES[0].name, language: LANGUAGE },
} as const;

export const PUBLIC_CODE = `${TENANT}.${CAPTURE_POINT.capturePointId}`;

/** Open at any hour: a soak run is not about hours. */
export const RULE_SET = {
  id: 'soak',
  version: 1,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  windows: [
    {
      id: 'always',
      weekdays: Object.fromEntries(
        ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((day) => [
          day,
          [['00:00', '24:00']],
        ]),
      ),
      source: 'hours of this soak run',
    },
  ],
  exempt: [],
} as const;

/** Declared by everybody, since a hold for an unknown zone is not what a run is about. */
export const ZONE = 'America/New_York';

/** Numbers that belong to nobody: +1 NPA 555-01xx. */
const AREA_CODES = [
  '205',
  '206',
  '207',
  '208',
  '209',
  '210',
  '212',
  '213',
  '214',
  '215',
  '216',
  '217',
  '218',
  '219',
  '224',
  '225',
  '228',
  '229',
  '231',
  '234',
  '239',
  '240',
  '248',
  '251',
  '252',
  '253',
  '254',
  '256',
  '260',
  '262',
  '267',
  '269',
  '270',
  '276',
  '281',
  '301',
  '302',
  '303',
  '304',
  '305',
  '307',
  '308',
  '309',
  '310',
  '312',
  '313',
  '314',
  '315',
  '316',
  '317',
  '318',
  '319',
  '320',
  '321',
  '323',
  '325',
  '330',
  '331',
  '334',
  '336',
  '337',
  '339',
  '347',
  '351',
  '352',
  '360',
  '361',
  '386',
  '401',
  '402',
  '404',
  '405',
  '406',
  '407',
  '408',
  '409',
  '410',
  '412',
  '413',
  '414',
  '415',
  '417',
  '419',
  '423',
  '424',
] as const;

/** @throws RangeError when all reserved numbers are used up */
export function reservedNumber(index: number): string {
  const code = AREA_CODES[Math.floor(index / 100)];
  if (code === undefined) throw new RangeError('no reserved number is left; start another platform');
  return `+1${code}55501${String(index % 100).padStart(2, '0')}`;
}
