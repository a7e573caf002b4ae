import type { Jurisdiction } from './rule.ts';

interface Recipient {
  readonly phone: string;
  /** ISO 3166. */
  readonly country: string;
  readonly declaredZone?: string;
  readonly declaredRegion?: Jurisdiction;
  readonly signedOff?: readonly string[];
  /** The row or choice that the figure rests on. */
  readonly rests: string;
}

/** A marketing message of purpose `offers`, after attempts to the same person; written by hand from the sources. */
export interface CapVector extends Recipient {
  /** When, and of which purpose when it is not `offers`. */
  readonly attempts: readonly (readonly [at: string, purposeId?: string])[];
  readonly at: string;
  readonly expect: string;
}

/** A marketing message that rests on a consent of some age; written by hand from the sources. */
export interface ConsentVector extends Recipient {
  readonly basis: 'express' | 'implied-purchase' | 'implied-enquiry';
  readonly grantedAt: string;
  readonly lastUsedAt?: string;
  readonly lastActAt?: string;
  readonly night?: true;
  readonly slot?: readonly [from: string, to: string];
  readonly at: string;
  readonly expect: string;
}

const UK = { phone: '+447700900107', country: 'GB' };
const NEW_YORK = { phone: '+12125550100', country: 'US' };
const MIAMI = { phone: '+13055550115', country: 'US' };
const OKLAHOMA = { phone: '+14055550121', country: 'US' };
const BALTIMORE = { phone: '+14105550122', country: 'US' };
const FRANCE = { phone: '+33639980001', country: 'FR' };
const GERMANY = { phone: '+4915123456789', country: 'DE' };
const EMIRATES = { phone: '+971501234567', country: 'AE' };
const VIETNAM = { phone: '+84912345678', country: 'VN' };
const KOREA = { phone: '+821020000000', country: 'KR' };
const SAO_PAULO = { phone: '+5511961234567', country: 'BR' };
const TORONTO = { phone: '+14165550102', country: 'CA' };
const ROME = { phone: '+393123456789', country: 'IT', declaredZone: 'Europe/Rome', declaredRegion: 'IT' };

const BRAZIL_SIGNED_OFF = ['br-hours', 'br-cap-24h', 'br-cap-30d'];
/** Three weeks of Monday to Friday, 26 October to 13 November 2026. */
const FIFTEEN_WORKDAYS = [
  ['10-26', '10-27', '10-28', '10-29', '10-30'],
  ['11-02', '11-03', '11-04', '11-05', '11-06'],
  ['11-09', '11-10', '11-11', '11-12', '11-13'],
].flatMap((week) => week.map((day, index) => [`2026-${day}T11:00-03:00`, index === 0 ? 'news' : 'offers'] as const));

export const CAP_VECTORS: readonly CapVector[] = [
  // 1 in 24 hours, 2 in 7 days, 4 in 30 days per purpose, where no law's cap is known.
  {
    ...UK,
    rests: 'default, 1 in 24 h',
    attempts: [['2026-11-17T11:00Z']],
    at: '2026-11-17T12:00Z',
    expect: 'hold until 2026-11-18T11:00Z',
  },
  {
    ...UK,
    rests: 'default, 1 in 24 h',
    attempts: [['2026-11-17T11:00Z']],
    at: '2026-11-18T11:00Z',
    expect: 'allow',
  },
  {
    ...UK,
    rests: 'default, per purpose',
    attempts: [['2026-11-17T11:00Z', 'news']],
    at: '2026-11-17T12:00Z',
    expect: 'allow',
  },
  {
    ...UK,
    rests: 'default, 2 in 7 d',
    attempts: [['2026-11-16T11:00Z'], ['2026-11-17T12:00Z']],
    at: '2026-11-19T12:00Z',
    expect: 'hold until 2026-11-23T11:00Z',
  },
  {
    ...UK,
    rests: 'default, 2 in 7 d',
    attempts: [['2026-11-16T11:00Z'], ['2026-11-17T12:00Z', 'news']],
    at: '2026-11-19T12:00Z',
    expect: 'allow',
  },
  {
    ...UK,
    rests: 'default, 4 in 30 d',
    attempts: [['2026-11-02T11:00Z'], ['2026-11-04T11:00Z'], ['2026-11-10T11:00Z'], ['2026-11-12T11:00Z']],
    at: '2026-11-19T12:00Z',
    expect: 'hold until 2026-12-02T11:00Z',
  },
  {
    ...UK,
    rests: 'default, 4 in 30 d',
    attempts: [['2026-11-02T11:00Z', 'news'], ['2026-11-04T11:00Z'], ['2026-11-10T11:00Z'], ['2026-11-12T11:00Z']],
    at: '2026-11-19T12:00Z',
    expect: 'allow',
  },
  {
    ...NEW_YORK,
    rests: 'default: US law has hours, but no cap that is known',
    attempts: [['2026-11-17T12:00-05:00']],
    at: '2026-11-17T13:00-05:00',
    expect: 'hold until 2026-11-18T12:00-05:00',
  },
  {
    ...NEW_YORK,
    rests: 'default: 24 hours are not a day when clocks go forward',
    attempts: [['2027-03-13T15:00-05:00']],
    at: '2027-03-14T12:00-04:00',
    expect: 'hold until 2027-03-14T16:00-04:00',
  },
  {
    ...OKLAHOMA,
    rests: 'default: Oklahoma in shadow',
    attempts: [['2026-11-17T11:00-06:00']],
    at: '2026-11-17T12:00-06:00',
    expect: 'hold until 2026-11-18T11:00-06:00',
  },
  // 3 in 24 hours per subject matter.
  {
    ...MIAMI,
    rests: 'F.S. 501.616(6)(b)',
    attempts: [['2026-11-17T09:00-05:00'], ['2026-11-17T11:00-05:00'], ['2026-11-17T13:00-05:00']],
    at: '2026-11-17T15:00-05:00',
    expect: 'hold until 2026-11-18T09:00-05:00',
  },
  {
    ...MIAMI,
    rests: 'F.S. 501.616(6)(b)',
    attempts: [['2026-11-17T11:00-05:00'], ['2026-11-17T13:00-05:00'], ['2026-11-17T14:00-05:00', 'news']],
    at: '2026-11-17T15:00-05:00',
    expect: 'allow',
  },
  {
    ...OKLAHOMA,
    signedOff: ['us-ok-hours', 'us-ok-cap-24h'],
    rests: '15 O.S. 775C.4, signed off',
    attempts: [['2026-11-17T09:00-06:00'], ['2026-11-17T11:00-06:00'], ['2026-11-17T13:00-06:00']],
    at: '2026-11-17T15:00-06:00',
    expect: 'hold until 2026-11-18T09:00-06:00',
  },
  {
    ...OKLAHOMA,
    signedOff: ['us-ok-hours', 'us-ok-cap-24h'],
    rests: '15 O.S. 775C.4, signed off',
    attempts: [['2026-11-17T11:00-06:00'], ['2026-11-17T13:00-06:00'], ['2026-11-17T14:00-06:00', 'news']],
    at: '2026-11-17T15:00-06:00',
    expect: 'allow',
  },
  {
    ...BALTIMORE,
    signedOff: ['us-md-hours', 'us-md-cap-24h'],
    rests: 'Maryland, signed off',
    attempts: [['2026-11-17T09:00-05:00'], ['2026-11-17T11:00-05:00'], ['2026-11-17T13:00-05:00']],
    at: '2026-11-17T15:00-05:00',
    expect: 'hold until 2026-11-18T09:00-05:00',
  },
  {
    ...BALTIMORE,
    signedOff: ['us-md-hours', 'us-md-cap-24h'],
    rests: 'Maryland, signed off',
    attempts: [['2026-11-17T11:00-05:00'], ['2026-11-17T13:00-05:00'], ['2026-11-17T14:00-05:00', 'news']],
    at: '2026-11-17T15:00-05:00',
    expect: 'allow',
  },
  {
    ...FRANCE,
    rests: 'D.223-9, 4 in 30 d over all purposes',
    attempts: [
      ['2026-11-02T11:00+01:00', 'news'],
      ['2026-11-03T11:00+01:00'],
      ['2026-11-04T11:00+01:00', 'news'],
      ['2026-11-05T11:00+01:00'],
    ],
    at: '2026-11-17T12:00+01:00',
    expect: 'hold until 2026-12-02T11:00+01:00',
  },
  {
    ...FRANCE,
    rests: 'D.223-9, 4 in 30 d over all purposes',
    attempts: [['2026-11-03T11:00+01:00'], ['2026-11-04T11:00+01:00', 'news'], ['2026-11-05T11:00+01:00']],
    at: '2026-11-17T12:00+01:00',
    expect: 'allow',
  },
  {
    ...EMIRATES,
    rests: 'Cabinet Resolution 56/2024, 1 a day over all purposes',
    attempts: [['2026-11-17T10:00+04:00', 'news']],
    at: '2026-11-17T15:00+04:00',
    expect: 'hold until 2026-11-18T10:00+04:00',
  },
  {
    ...EMIRATES,
    rests: 'Cabinet Resolution 56/2024, 2 a week over all purposes',
    attempts: [['2026-11-16T10:00+04:00', 'news'], ['2026-11-18T10:00+04:00']],
    at: '2026-11-20T12:00+04:00',
    expect: 'hold until 2026-11-23T10:00+04:00',
  },
  {
    ...EMIRATES,
    rests: 'Cabinet Resolution 56/2024, 2 a week over all purposes',
    attempts: [['2026-11-18T10:00+04:00', 'news']],
    at: '2026-11-20T12:00+04:00',
    expect: 'allow',
  },
  {
    ...VIETNAM,
    rests: 'Decree 91/2020, 3 texts in 24 h',
    attempts: [['2026-11-17T08:00+07:00'], ['2026-11-17T10:00+07:00', 'news'], ['2026-11-17T12:00+07:00']],
    at: '2026-11-17T14:00+07:00',
    expect: 'hold until 2026-11-18T08:00+07:00',
  },
  {
    ...VIETNAM,
    rests: 'Decree 91/2020, 3 texts in 24 h',
    attempts: [['2026-11-17T10:00+07:00', 'news'], ['2026-11-17T12:00+07:00']],
    at: '2026-11-17T14:00+07:00',
    expect: 'allow',
  },
  {
    ...SAO_PAULO,
    signedOff: BRAZIL_SIGNED_OFF,
    rests: 'code of the operators, 2 a day, signed off',
    attempts: [['2026-11-17T10:00-03:00', 'news'], ['2026-11-17T12:00-03:00']],
    at: '2026-11-17T15:00-03:00',
    expect: 'hold until 2026-11-18T10:00-03:00',
  },
  {
    ...SAO_PAULO,
    signedOff: BRAZIL_SIGNED_OFF,
    rests: 'code of the operators, 2 a day, signed off',
    attempts: [['2026-11-17T12:00-03:00', 'news']],
    at: '2026-11-17T15:00-03:00',
    expect: 'allow',
  },
  {
    ...SAO_PAULO,
    signedOff: BRAZIL_SIGNED_OFF,
    rests: 'code of the operators, 15 a month, signed off',
    attempts: FIFTEEN_WORKDAYS,
    at: '2026-11-17T12:00-03:00',
    expect: 'hold until 2026-11-25T11:00-03:00',
  },
  {
    ...SAO_PAULO,
    signedOff: BRAZIL_SIGNED_OFF,
    rests: 'code of the operators, 15 a month, signed off',
    attempts: FIFTEEN_WORKDAYS.slice(1),
    at: '2026-11-17T12:00-03:00',
    expect: 'allow',
  },
];

/** A consent some days short of its end, and the same some days past it. */
function onBothSides(
  vector: Omit<ConsentVector, 'expect' | 'grantedAt'> & { readonly grantedAt?: string },
  counted: 'grantedAt' | 'lastUsedAt' | 'lastActAt',
  alive: string,
  lapsed: string,
): readonly ConsentVector[] {
  const complete = { grantedAt: '2019-01-15T12:00Z', ...vector };
  return [
    { ...complete, [counted]: alive, expect: 'allow' },
    { ...complete, [counted]: lapsed, expect: 'refuse' },
  ];
}

/** A person who is written to and answers; it keeps no consent alive that counts from its grant. */
const IN_TOUCH = { lastUsedAt: '2026-10-20T12:00Z', lastActAt: '2026-10-20T12:00Z' };
const AFTERNOON_IN_EUROPE = '2026-11-17T12:00+01:00';

export const CONSENT_VECTORS: readonly ConsentVector[] = [
  ...onBothSides(
    {
      ...GERMANY,
      rests: 'AG München: 4 years unused',
      basis: 'express',
      lastActAt: IN_TOUCH.lastActAt,
      at: AFTERNOON_IN_EUROPE,
    },
    'lastUsedAt',
    '2022-11-20T12:00Z',
    '2022-11-10T12:00Z',
  ),
  ...onBothSides(
    { ...GERMANY, rests: 'AG München: 4 years, never used', basis: 'express', at: AFTERNOON_IN_EUROPE },
    'grantedAt',
    '2022-11-20T12:00Z',
    '2022-11-10T12:00Z',
  ),
  ...onBothSides(
    {
      ...FRANCE,
      rests: "CNIL: 3 years from the person's last act, whatever was sent since",
      basis: 'express',
      lastUsedAt: IN_TOUCH.lastUsedAt,
      at: AFTERNOON_IN_EUROPE,
    },
    'lastActAt',
    '2023-11-20T12:00Z',
    '2023-11-10T12:00Z',
  ),
  ...onBothSides(
    {
      ...ROME,
      rests: 'Garante: 24 months',
      basis: 'express',
      lastUsedAt: IN_TOUCH.lastUsedAt,
      at: AFTERNOON_IN_EUROPE,
    },
    'grantedAt',
    '2024-11-20T12:00Z',
    '2024-11-10T12:00Z',
  ),
  ...onBothSides(
    { ...KOREA, rests: 'confirmed again every 2 years', basis: 'express', ...IN_TOUCH, at: '2026-11-17T12:00+09:00' },
    'grantedAt',
    '2024-11-20T12:00Z',
    '2024-11-10T12:00Z',
  ),
  ...onBothSides(
    {
      ...UK,
      rests: 'implied by a purchase: 24 months',
      basis: 'implied-purchase',
      ...IN_TOUCH,
      at: '2026-11-17T12:00Z',
    },
    'grantedAt',
    '2024-11-20T12:00Z',
    '2024-11-10T12:00Z',
  ),
  ...onBothSides(
    { ...UK, rests: 'implied by an enquiry: 6 months', basis: 'implied-enquiry', ...IN_TOUCH, at: '2026-11-17T12:00Z' },
    'grantedAt',
    '2026-05-20T12:00Z',
    '2026-05-10T12:00Z',
  ),
  ...onBothSides(
    {
      ...TORONTO,
      signedOff: ['ca-implied-purchase-life'],
      rests: 'CASL: 24 months after a purchase, signed off',
      basis: 'implied-purchase',
      ...IN_TOUCH,
      at: '2026-11-17T12:00-05:00',
    },
    'grantedAt',
    '2024-11-20T12:00Z',
    '2024-11-10T12:00Z',
  ),
  ...onBothSides(
    {
      ...TORONTO,
      signedOff: ['ca-implied-enquiry-life'],
      rests: 'CASL: 6 months after an enquiry, signed off',
      basis: 'implied-enquiry',
      ...IN_TOUCH,
      at: '2026-11-17T12:00-05:00',
    },
    'grantedAt',
    '2026-05-20T12:00Z',
    '2026-05-10T12:00Z',
  ),
  {
    ...NEW_YORK,
    rests: 'express consent has no end where no law gives it one',
    basis: 'express',
    grantedAt: '2005-01-15T12:00Z',
    at: '2026-11-17T12:00-05:00',
    expect: 'allow',
  },
  {
    ...KOREA,
    rests: 'the night needs consent of its own',
    basis: 'express',
    grantedAt: '2026-01-15T12:00Z',
    at: '2026-11-17T22:00+09:00',
    expect: 'hold until 2026-11-18T08:00+09:00',
  },
  {
    ...KOREA,
    rests: 'the night, with consent of its own',
    basis: 'express',
    grantedAt: '2026-01-15T12:00Z',
    night: true,
    at: '2026-11-17T22:00+09:00',
    expect: 'allow',
  },
  {
    ...FRANCE,
    rests: 'D.223-9: out of hours only at a date and time that the person asked for',
    basis: 'express',
    grantedAt: '2026-01-15T12:00Z',
    at: '2026-11-17T20:30+01:00',
    expect: 'hold until 2026-11-18T10:00+01:00',
  },
  {
    ...FRANCE,
    rests: 'D.223-9: inside the slot',
    basis: 'express',
    grantedAt: '2026-01-15T12:00Z',
    slot: ['2026-11-17T20:00+01:00', '2026-11-17T21:30+01:00'],
    at: '2026-11-17T20:30+01:00',
    expect: 'allow',
  },
  {
    ...FRANCE,
    rests: 'D.223-9: after the slot',
    basis: 'express',
    grantedAt: '2026-01-15T12:00Z',
    slot: ['2026-11-17T20:00+01:00', '2026-11-17T21:30+01:00'],
    at: '2026-11-17T21:30+01:00',
    expect: 'hold until 2026-11-18T10:00+01:00',
  },
];
