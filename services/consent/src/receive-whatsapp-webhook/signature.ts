import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

const PREFIX = 'sha256=';

/**
 * Checks `X-Hub-Signature-256`: the HMAC-SHA-256 of the raw bytes of the body under the app secret, in constant time.
 * Source: WhatsApp, "Create a webhook endpoint", 2025-11-07.
 */
export class WebhookSignature {
  readonly #key: KeyObject;

  constructor(appSecret: string) {
    // A KeyObject once: with the raw secret each request would pay for importing it.
    this.#key = createSecretKey(Buffer.from(appSecret, 'utf8'));
  }

  matches(body: Uint8Array, header: string | undefined): boolean {
    const right = createHmac('sha256', this.#key).update(body).digest();
    const given = Buffer.from(header?.startsWith(PREFIX) === true ? header.slice(PREFIX.length) : '', 'hex');
    const comparable = given.length === right.length ? given : Buffer.alloc(right.length);
    return timingSafeEqual(comparable, right) && given.length === right.length;
  }
}
