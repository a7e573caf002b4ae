import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a confirmation is about. Everything in it is bound by the authentication code. */
export interface Confirmation {
  readonly tenant: string;
  readonly subjectId: string;
  readonly requestId: string;
  /** Epoch milliseconds; orders the grant. */
  readonly requestedAt: number;
  readonly noticeId: string;
  readonly noticeVersion: number;
}

const MAC_BYTES = 16;
const UUID_BYTES = 16;
const TIME_BYTES = 6;
const PREFIX = 'CONFIRM';

/**
 * Makes and reads the token of a double opt-in. It carries all that a grant needs, so a confirmation is never lost
 * because a read model is late. In a button: `CONFIRM|<token>|<noticeId>|<version>`, at most 128 characters (WhatsApp's
 * limit of a quick-reply payload). In a link the person's id is added, which a button's sender gives.
 */
export class ConfirmationTokens {
  readonly #key: Uint8Array;

  /** @param key at least 32 secret bytes */
  constructor(key: Uint8Array) {
    if (key.length < 32) throw new RangeError('the confirmation key needs at least 32 bytes');
    this.#key = key;
  }

  payload(confirmation: Confirmation): string {
    const { noticeId, noticeVersion } = confirmation;
    return `${PREFIX}|${this.#token(confirmation)}|${noticeId}|${noticeVersion}`;
  }

  /** For `/confirm/{token}`: URL-safe. */
  linkToken(confirmation: Confirmation): string {
    const { tenant, subjectId } = confirmation;
    return Buffer.from(`${tenant}.${subjectId}.${this.payload(confirmation)}`, 'utf8').toString('base64url');
  }

  /** Reads a button's payload, pressed by this person. Undefined: not one of ours, or not this person's. */
  readPayload(payload: string, tenant: string, subjectId: string): Confirmation | undefined {
    const [prefix, token, noticeId, version, ...rest] = payload.split('|');
    if (prefix !== PREFIX || token === undefined || noticeId === undefined || rest.length > 0) return undefined;
    if (version === undefined || !/^[1-9]\d{0,8}$/.test(version)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== UUID_BYTES + TIME_BYTES + MAC_BYTES) return undefined;
    const confirmation: Confirmation = {
      tenant,
      subjectId,
      requestId: uuidOf(bytes.subarray(0, UUID_BYTES)),
      requestedAt: bytes.readUIntBE(UUID_BYTES, TIME_BYTES),
      noticeId,
      noticeVersion: Number(version),
    };
    const mac = bytes.subarray(UUID_BYTES + TIME_BYTES);
    return timingSafeEqual(mac, this.#mac(confirmation)) ? confirmation : undefined;
  }

  readLinkToken(token: string): Confirmation | undefined {
    const text = Buffer.from(token, 'base64url').toString('utf8');
    const [, tenant, subjectId, payload] = /^([a-z0-9-]{1,32})\.([0-9a-f-]{36})\.(.+)$/.exec(text) ?? [];
    if (tenant === undefined || subjectId === undefined || payload === undefined) return undefined;
    return this.readPayload(payload, tenant, subjectId);
  }

  #token(confirmation: Confirmation): string {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUIntBE(confirmation.requestedAt, 0, TIME_BYTES);
    const uuid = Buffer.from(confirmation.requestId.replaceAll('-', ''), 'hex');
    return Buffer.concat([uuid, time, this.#mac(confirmation)]).toString('base64url');
  }

  #mac({ tenant, subjectId, requestId, requestedAt, noticeId, noticeVersion }: Confirmation): Buffer {
    const hmac = createHmac('sha256', this.#key);
    for (const part of [
      'confirm',
      tenant,
      subjectId,
      requestId,
      String(requestedAt),
      noticeId,
      String(noticeVersion),
    ]) {
      hmac.update(`${Buffer.byteLength(part)}:${part}`);
    }
    return hmac.digest().subarray(0, MAC_BYTES);
  }
}

/** Tokens of `/unsubscribe/{token}`: whoever has the link may withdraw for that person, and nothing else. */
export class UnsubscribeTokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  make(tenant: string, subjectId: string): string {
    return Buffer.from(`${tenant}.${subjectId}.${this.#mac(tenant, subjectId).toString('base64url')}`).toString(
      'base64url',
    );
  }

  read(token: string): { tenant: string; subjectId: string } | undefined {
    const text = Buffer.from(token, 'base64url').toString('utf8');
    const [, tenant, subjectId, mac] = /^([a-z0-9-]{1,32})\.([0-9a-f-]{36})\.([A-Za-z0-9_-]{22})$/.exec(text) ?? [];
    if (tenant === undefined || subjectId === undefined || mac === undefined) return undefined;
    const given = Buffer.from(mac, 'base64url');
    const right = this.#mac(tenant, subjectId);
    return given.length === right.length && timingSafeEqual(given, right) ? { tenant, subjectId } : undefined;
  }

  #mac(tenant: string, subjectId: string): Buffer {
    const hmac = createHmac('sha256', this.#key);
    for (const part of ['unsubscribe', tenant, subjectId]) hmac.update(`${Buffer.byteLength(part)}:${part}`);
    return hmac.digest().subarray(0, MAC_BYTES);
  }
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
