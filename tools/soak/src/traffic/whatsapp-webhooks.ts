import { createHmac } from 'node:crypto';
import { SENDER, SENDER_ID } from './cast.ts';

const APP_SECRET = 'local-app-secret';
const WABA_ID = '300000000000001';

/** A webhook as WhatsApp would send it: the exact bytes and their signature. */
export interface SignedWebhook {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function textMessage(o: { phone: string; wamid: string; text: string; atMs: number }): SignedWebhook {
  return message(o, { type: 'text', text: { body: o.text } });
}

export function buttonPress(o: {
  phone: string;
  wamid: string;
  text: string;
  payload: string;
  atMs: number;
}): SignedWebhook {
  return message(o, { type: 'button', button: { text: o.text, payload: o.payload } });
}

export function preferenceStop(o: { phone: string; atMs: number }): SignedWebhook {
  const waId = digits(o.phone);
  return signed('user_preferences', {
    contacts: [{ wa_id: waId }],
    user_preferences: [
      {
        wa_id: waId,
        detail: 'User requested to stop marketing messages',
        category: 'marketing_messages',
        value: 'stop',
        timestamp: Math.floor(o.atMs / 1_000),
      },
    ],
  });
}

/** A status that a message failed because the person stopped this business's marketing (131050). */
export function stoppedStatus(o: { phone: string; wamid: string; atMs: number }): SignedWebhook {
  return signed('messages', {
    statuses: [
      {
        id: o.wamid,
        status: 'failed',
        timestamp: String(Math.floor(o.atMs / 1_000)),
        recipient_id: digits(o.phone),
        errors: [{ code: 131050, title: 'User has stopped marketing messages' }],
      },
    ],
  });
}

function message(o: { phone: string; wamid: string; atMs: number }, content: object): SignedWebhook {
  const from = digits(o.phone);
  return signed('messages', {
    contacts: [{ wa_id: from }],
    messages: [{ from, id: o.wamid, timestamp: String(Math.floor(o.atMs / 1_000)), ...content }],
  });
}

/** Signs any change of a sender's; for malformed ones too. */
export function signed(field: string, value: object, senderId: string = SENDER_ID): SignedWebhook {
  const metadata = { display_phone_number: SENDER.businessNumber, phone_number_id: senderId };
  const change = { field, value: { messaging_product: 'whatsapp', metadata, ...value } };
  return signedBody(
    JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: WABA_ID, changes: [change] }] }),
  );
}

/** Signs any bytes. */
export function signedBody(body: string): SignedWebhook {
  const signature = createHmac('sha256', APP_SECRET).update(body).digest('hex');
  return { body, headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` } };
}

function digits(phone: string): string {
  return phone.replace(/\D/g, '');
}
