import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ADA,
  BEN,
  openWorld,
  optInByButton,
  optInOnPage,
  type Platform,
  publishNotice,
  registerSender,
  startPlatform,
  type World,
  writeStop,
} from '@assent/cli';
import { jest } from '@jest/globals';

jest.setTimeout(180_000);

const dist = join(import.meta.dirname, '..', 'dist');

interface Run {
  readonly code: number;
  readonly output: string;
}

describe('the programs of a platform team, on a platform where one person has opted in and one has stopped', () => {
  const ends: (() => Promise<unknown>)[] = [];
  let platform: Platform;
  let world: World;

  beforeAll(async () => {
    if (!existsSync(join(dist, 'ask-through-http.js'))) throw new Error('the examples are not built: npm run build');
    const dataDir = await mkdtemp(join(tmpdir(), 'assent-examples-'));
    ends.push(() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }));
    platform = await startPlatform({ dataDir, logsDir: join(dataDir, 'logs'), ports: 'free', fresh: false });
    ends.push(() => platform.stop());
    world = await openWorld({ urls: platform.urls, brokers: platform.plan.brokers });
    ends.push(() => world.log.close());
    for (const step of [registerSender, publishNotice, optInOnPage, optInByButton, writeStop]) await step.run(world);
  });

  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  function run(program: string, phone: string): Promise<Run> {
    const { PATH = '' } = process.env;
    const env = { PATH, DISPATCH_URL: platform.urls.dispatch, KAFKA_BROKERS: platform.plan.brokers };
    return new Promise((resolve) => {
      execFile(process.execPath, [join(dist, `${program}.js`), phone], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      });
    });
  }

  async function messagesTo(phone: string): Promise<number> {
    const inbox = await world.people.inbox(phone, 0, 0);
    return inbox.filter(({ template }) => template?.name === 'monthly_offers').length;
  }

  it.each(['ask-through-http', 'ask-through-kafka'])(
    '%s sees its message delivered to the one who opted in',
    async (program) => {
      const before = await messagesTo(BEN.phone);
      const { code, output } = await run(program, BEN.phone);
      expect(output).toMatch(program === 'ask-through-http' ? /delivered/ : /dispatch\.status-recorded\.v1/);
      expect(code).toBe(0);
      await expect(messagesTo(BEN.phone)).resolves.toBe(before + 1);
    },
  );

  it.each(['ask-through-http', 'ask-through-kafka'])(
    '%s is refused the one who stopped, with the reason',
    async (program) => {
      const { code, output } = await run(program, ADA.phone);
      expect(output).toMatch(/withdrawn: The person withdrew/);
      expect(code).toBe(1);
      await expect(messagesTo(ADA.phone)).resolves.toBe(0);
    },
  );

  it('nothing of the recipient is printed', async () => {
    const { output } = await run('ask-through-kafka', BEN.phone);
    expect(output).not.toContain(BEN.phone.slice(1));
  });
});
