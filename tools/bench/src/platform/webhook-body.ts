import { createHmac } from 'node:crypto';

const APP_SECRET = 'local-app-secret';
/** The demo's sender. */
const SENDER_ID = '100000000000001';
const AREA_CODES = 700;
const NUMBERS_PER_AREA_CODE = 100;

/** The n-th of 70,000 numbers that belong to nobody: +1 NPA 555-01xx. */
export function fictionalPhone(n: number): string {
  const areaCode = 201 + (Math.floor(n / NUMBERS_PER_AREA_CODE) % AREA_CODES);
  return `+1${areaCode}55501${String(n % NUMBERS_PER_AREA_CODE).padStart(2, '0')}`;
}

/** A webhook POST of these changes, with the signature header's value. */
export function signed(changes: readonly object[]): { body: Buffer; signature: string } {
  const entry = changes.map((value) => ({ id: '300000000000001', changes: [{ field: 'messages', value }] }));
  const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }));
  return { body, signature: `sha256=${createHmac('sha256', APP_SECRET).update(body).digest('hex')}` };
}

const frame = {
  messaging_product: 'whatsapp',
  metadata: { display_phone_number: '12025550100', phone_number_id: SENDER_ID },
};

/** The person writes a text now. `n` makes the message id. */
export function textFrom(phone: string, text: string, n: number): object {
  const waId = phone.slice(1);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return {
    ...frame,
    contacts: [{ profile: { name: 'Somebody' }, wa_id: waId }],
    messages: [{ from: waId, id: `wamid.bench-text-${n}`, timestamp, type: 'text', text: { body: text } }],
  };
}

/** WhatsApp reports a message as delivered now. `n` makes the message id. */
export function deliveredTo(phone: string, n: number): object {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const status = { id: `wamid.bench-status-${n}`, status: 'delivered', timestamp, recipient_id: phone.slice(1) };
  return { ...frame, statuses: [status] };
}
