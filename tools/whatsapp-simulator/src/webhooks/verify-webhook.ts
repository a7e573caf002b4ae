import { randomBytes } from 'node:crypto';

export interface WebhookVerification {
  /** Whether the endpoint answered 200 with exactly the challenge. */
  readonly verified: boolean;
  readonly status?: number;
  readonly error?: string;
}

const ANSWER_TIMEOUT_MS = 10_000;

/** The handshake that Meta makes when a webhook URL is saved. Never throws. */
export async function verifyWebhook(url: string, verifyToken: string): Promise<WebhookVerification> {
  const challenge = String(randomBytes(4).readUInt32BE());
  const address = new URL(url);
  address.searchParams.set('hub.mode', 'subscribe');
  address.searchParams.set('hub.challenge', challenge);
  address.searchParams.set('hub.verify_token', verifyToken);
  try {
    const response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const verified = response.status === 200 && (await response.text()) === challenge;
    return { verified, status: response.status };
  } catch (error) {
    return { verified: false, error: error instanceof Error ? error.name : 'unknown' };
  }
}
