import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LocalStack, pickFreePort } from '@assent/local-stack';

const SCRIPT = fileURLToPath(new URL('../../../../services/audit/dist/main.js', import.meta.url));
const READY_TIMEOUT_MS = 90_000;
const POLL_MS = 20;

/** The audit service alone on a stack of its own. */
export class AuditProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** What an auditor gets. */
    readonly publicFolder: string,
  ) {}

  static async start(stack: LocalStack, folder: string): Promise<AuditProcess> {
    mkdirSync(folder, { recursive: true });
    const port = await pickFreePort();
    const child = spawn(process.execPath, [SCRIPT], {
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_ENV: 'development',
        HOST: '127.0.0.1',
        PORT: String(port),
        LOG_LEVEL: 'warn',
        KAFKA_BROKERS: stack.kafka.brokers,
        MONGODB_URI: stack.mongo.uri,
        AUDIT_DATA_DIR: join(folder, 'audit'),
        AUDIT_SIGNING_KEY_FILE: join(folder, 'audit-signing-key.pem'),
      },
      stdio: 'ignore',
    });
    const audit = new AuditProcess(child, `http://127.0.0.1:${port}`, join(folder, 'audit', 'public'));
    await audit.#untilReady();
    return audit;
  }

  /** Leaves under signed checkpoints, over all logs of a topic. */
  async signedLeaves(topic: string): Promise<number> {
    const response = await fetch(`${this.url}/v1/logs`, { headers: { authorization: 'Bearer local-auditor' } });
    const { logs } = (await response.json()) as { logs: readonly { name: string; size: number }[] };
    return logs.filter(({ name }) => name.startsWith(`${topic}/`)).reduce((sum, { size }) => sum + size, 0);
  }

  async untilSigned(topic: string, leaves: number): Promise<void> {
    while ((await this.signedLeaves(topic)) < leaves) await pause(POLL_MS);
  }

  /** Seconds for which the oldest record without a signed checkpoint has waited. */
  async checkpointAge(): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const age = /^audit_checkpoint_age_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1];
    if (age === undefined) throw new Error('audit does not show the age of its checkpoints');
    return Number(age);
  }

  /** Milliseconds until an inclusion proof of a record has arrived, or the answer of `/livez` for comparison. */
  async answerMs(what: 'livez' | { partition: number; offset: number }): Promise<number> {
    const path =
      what === 'livez'
        ? '/livez'
        : `/v1/proofs/inclusion?topic=consent.events&partition=${what.partition}&offset=${what.offset}`;
    const beganAt = performance.now();
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: 'Bearer local-auditor' } });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return performance.now() - beganAt;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      const isReady = await fetch(`${this.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
      await pause(POLL_MS);
    }
    throw new Error('audit was not ready in time');
  }
}
