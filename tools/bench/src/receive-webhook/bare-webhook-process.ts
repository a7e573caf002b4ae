import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The baseline server in a process of its own. */
export class BareWebhookProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(): Promise<BareWebhookProcess> {
    const child = fork(fileURLToPath(new URL('./bare-webhook-server.js', import.meta.url)));
    const [url] = (await once(child, 'message')) as [string];
    return new BareWebhookProcess(child, url);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }
}
