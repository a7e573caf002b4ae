import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 10;

/** A message in a simulated person's inbox. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly receivedAtMs: number;
  readonly text: string;
  readonly template?: { readonly name: string; readonly parameters: readonly string[] };
  readonly buttons?: readonly { readonly text: string; readonly payload?: string }[];
}

interface WebhookAttempt {
  readonly postedAtMs: number;
  readonly ms: number;
  readonly status?: number;
  readonly updates: readonly { readonly messageId?: string; readonly kind: string }[];
}

/** The people of the WhatsApp simulator, named by the digits of their phone. */
export class SimulatedPeople {
  readonly #url: string;

  constructor(simulatorUrl: string) {
    this.#url = simulatorUrl;
  }

  async register(phone: string, name: string): Promise<void> {
    await this.#send('POST', '/people', { phone, name });
  }

  async registerTemplate(template: object): Promise<void> {
    await this.#send('POST', '/templates', template);
  }

  /** Writes a text; answers the message's id. WhatsApp's webhook follows by itself. */
  write(phone: string, text: string): Promise<string> {
    return this.#act(phone, { text });
  }

  /** Presses the button with this label of the newest message that has one. */
  press(phone: string, label: string): Promise<string> {
    return this.#act(phone, { button: { text: label } });
  }

  /** Presses a button that was shown elsewhere than in a message of ours, such as under an advertisement. */
  pressElsewhere(phone: string, label: string, payload: string): Promise<string> {
    return this.#act(phone, { raw: { type: 'button', button: { text: label, payload } } });
  }

  /** The inbox once it has `min` messages, or what it has after `timeoutMs`. */
  async inbox(phone: string, min: number, timeoutMs: number): Promise<readonly ReceivedMessage[]> {
    const path = `/people/${digits(phone)}/inbox?min=${min}&waitMs=${timeoutMs}`;
    return (await this.#send<{ messages: ReceivedMessage[] }>('GET', path)).messages;
  }

  /** When a person's message was acknowledged with a 200 (epoch ms, wall clock); undefined after `timeoutMs`. */
  async acknowledgedAt(messageId: string, timeoutMs: number): Promise<number | undefined> {
    const deadline = performance.now() + timeoutMs;
    do {
      const { webhooks } = await this.#send<{ webhooks: WebhookAttempt[] }>('GET', '/webhooks');
      const attempt = webhooks.find(
        ({ status, updates }) =>
          status === 200 && updates.some((update) => update.kind === 'message' && update.messageId === messageId),
      );
      if (attempt !== undefined) return attempt.postedAtMs + attempt.ms;
      await pause(POLL_MS);
    } while (performance.now() < deadline);
    return undefined;
  }

  async #act(phone: string, act: object): Promise<string> {
    return (await this.#send<{ messageId: string }>('POST', `/people/${digits(phone)}/messages`, act)).messageId;
  }

  async #send<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#url}/simulator${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`the simulator answered ${response.status} to ${method} ${path.split('?')[0] ?? ''}`);
    return (await response.json()) as T;
  }
}

function digits(phone: string): string {
  return phone.replace(/\D/g, '');
}
