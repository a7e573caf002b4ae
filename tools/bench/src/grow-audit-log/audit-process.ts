import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { answersOk, processEnvironment, scriptOf } from '@assent/cli';
import { type LocalStack, pickFreePort } from '@assent/local-stack';

const READY_TIMEOUT_MS = 90_000;
const POLL_MS = 20;

/** The audit service alone on a stack of its own. */
export class AuditProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(stack: LocalStack, folder: string): Promise<AuditProcess> {
    mkdirSync(join(folder, 'keys'), { recursive: true });
    const port = await pickFreePort();
    const url = `http://127.0.0.1:${port}`;
    const nobody = { consentUrl: url, whatsappUrl: url };
    const at = { port, brokers: stack.kafka.brokers, mongoUri: stack.mongo.uri, folder, ...nobody };
    const { PATH } = process.env;
    const env = processEnvironment('audit', at, { PATH, LOG_LEVEL: 'warn' });
    const audit = new AuditProcess(spawn(process.execPath, [scriptOf('audit')], { env, stdio: 'ignore' }), url);
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

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (await answersOk(`${this.url}/readyz`)) return;
      await pause(POLL_MS);
    }
    throw new Error('audit was not ready in time');
  }
}
