import { Agent, request } from 'node:http';

/** A signed POST, ready to be sent. */
export interface SignedPost {
  readonly body: Buffer;
  readonly signature: string;
}

export interface PostOutcome {
  /** Milliseconds of each answered POST. */
  readonly latenciesMs: readonly number[];
  readonly seconds: number;
  /** Answers other than 200, by status; 0 is no answer. */
  readonly failures: ReadonlyMap<number, number>;
}

/** Closed loop: `connections` clients that each send the next POST when the one before is answered. */
export async function postInClosedLoop(
  url: string,
  { connections, seconds, next }: { connections: number; seconds: number; next: () => SignedPost },
): Promise<PostOutcome> {
  const endsAt = performance.now() + seconds * 1_000;
  return postWhile(url, connections, next, () => performance.now() < endsAt);
}

/** Closed loop, until so many were sent. */
export async function postEach(
  url: string,
  { connections, posts, next }: { connections: number; posts: number; next: () => SignedPost },
): Promise<PostOutcome> {
  let sent = 0;
  return postWhile(url, connections, next, () => (sent += 1) <= posts);
}

async function postWhile(
  url: string,
  connections: number,
  next: () => SignedPost,
  goesOn: () => boolean,
): Promise<PostOutcome> {
  const collected = new Collected(url, connections);
  const client = async (): Promise<void> => {
    while (goesOn()) await collected.post(next());
  };
  await Promise.all(Array.from({ length: connections }, client));
  return collected.end();
}

/** Open loop: one POST every `1 / ratePerSecond`, whether or not the ones before are answered; latency counts from when it was due. */
export async function postInOpenLoop(
  url: string,
  { ratePerSecond, seconds, next }: { ratePerSecond: number; seconds: number; next: () => SignedPost },
): Promise<PostOutcome> {
  const collected = new Collected(url, Infinity);
  const beganAt = performance.now();
  const running: Promise<void>[] = [];
  for (let sent = 0; sent < ratePerSecond * seconds; sent += 1) {
    const dueAt = beganAt + (sent * 1_000) / ratePerSecond;
    const early = dueAt - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    running.push(collected.post(next(), dueAt));
  }
  await Promise.all(running);
  return collected.end();
}

class Collected {
  readonly #agent: Agent;
  readonly #beganAt = performance.now();
  readonly #latenciesMs: number[] = [];
  readonly #failures = new Map<number, number>();

  constructor(
    private readonly url: string,
    maxSockets: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets });
  }

  async post(post: SignedPost, dueAt = performance.now()): Promise<void> {
    const status = await this.#send(post);
    this.#latenciesMs.push(performance.now() - dueAt);
    if (status !== 200) this.#failures.set(status, (this.#failures.get(status) ?? 0) + 1);
  }

  end(): PostOutcome {
    this.#agent.destroy();
    const seconds = (performance.now() - this.#beganAt) / 1_000;
    return { latenciesMs: this.#latenciesMs, seconds, failures: this.#failures };
  }

  #send({ body, signature }: SignedPost): Promise<number> {
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-hub-signature-256': signature,
    };
    return new Promise((resolve) => {
      const sent = request(
        `${this.url}/webhooks/whatsapp`,
        { method: 'POST', agent: this.#agent, headers },
        (answer) => {
          answer.resume();
          answer.once('end', () => {
            resolve(answer.statusCode ?? 0);
          });
        },
      );
      sent.once('error', () => {
        resolve(0);
      });
      sent.end(body);
    });
  }
}
