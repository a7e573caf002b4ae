import { DEFAULT_RULE_SET, type SendQuestion } from '@assent/send-rules';

const HOUR_MS = 3_600_000;
/** A Monday. */
const BEGIN = Date.parse('2026-11-23T00:00:00Z');

/** Fictional numbers of places that are easy and hard: one zone, four zones, eleven zones, two states' laws. */
const PHONES = ['+12125550142', '+19075550142', '+33199005678', '+4930230125678', '+5511987654321', '+61491570156'];

/** `count` different questions, hour after hour over a month, number after number, nothing sent before. */
export function questions(count: number): SendQuestion[] {
  return Array.from({ length: count }, (_, n) => ({
    at: BEGIN + (n % 720) * HOUR_MS,
    recipient: { phone: PHONES[n % PHONES.length] ?? '' },
    senderId: '100000000000001',
    purposeId: 'monthly-offers',
    class: 'message',
    category: 'marketing',
    attempts: [],
    consent: { basis: 'express', grantedAt: BEGIN - 24 * HOUR_MS },
    content: {
      templateCategory: 'marketing',
      purposeCategory: 'marketing',
      language: 'en',
      body: 'Acme Books: the offers of May are out. Answer STOP to stop.',
      buttons: [{ text: 'Stop', optsOut: true }],
      senderName: 'Acme Books',
    },
    ruleSet: DEFAULT_RULE_SET,
    holidays: [],
    blackouts: [],
  }));
}

/** The same for a recipient who declared one zone, and rules of one window: what the baselines can answer too. */
export function simpleQuestions(count: number): SendQuestion[] {
  return questions(count).map((question) => ({
    ...question,
    recipient: { declaredZone: 'America/New_York' },
    ruleSet: SIMPLE_RULE_SET,
  }));
}

const WINDOW: readonly [string, string] = ['08:00', '21:00'];

const SIMPLE_RULE_SET: SendQuestion['ruleSet'] = {
  id: 'bench',
  version: 1,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  base: 'none',
  signedOff: [],
  rules: [
    {
      id: 'everywhere-8-to-21',
      kind: 'windows',
      jurisdiction: '*',
      channel: 'whatsapp',
      status: 'active',
      sources: [{ kind: 'own', reference: 'benchmark' }],
      verifiedOn: '2026-11-24',
      confidence: 'high',
      holidays: 'as-weekday',
      weekdays: {
        monday: [WINDOW],
        tuesday: [WINDOW],
        wednesday: [WINDOW],
        thursday: [WINDOW],
        friday: [WINDOW],
        saturday: [WINDOW],
        sunday: [WINDOW],
      },
    },
  ],
  exempt: [],
};
