import { randomUUID } from 'node:crypto';
import { createConnection } from 'mongoose';
import { type WithdrawalStory, withdrawalsIn } from '../checkers/withdrawals-in.ts';
import { rebuildService } from '../nemesis/rebuild-service.ts';
import { until } from '../platform/soak-platform.ts';
import { write, type WriteOutcome, type WriteRequest } from '../traffic/acknowledged-writes.ts';
import { SENDER_ID } from '../traffic/cast.ts';
import { signed, signedBody, textMessage } from '../traffic/whatsapp-webhooks.ts';
import type { RunContext, Scenario } from './scenario.ts';

/** A caller gives up a try after 15 s; a few tries show what a part that is down does to all of them. */
const TRIES_WHILE_DOWN = 1;
/** Read models of consent that a service with an empty catalogue has nothing in. */
const CATALOGUE = ['purposes', 'notices', 'capture_points', 'senders'] as const;

/** Withdrawals that are odd in every way, while parts are down and while the catalogue is empty (I6). */
export const withdrawalsGetIn: Scenario = {
  name: 'withdrawals-get-in',
  invariants: ['I1', 'I6'],
  platform: { processes: { dispatch: 1 }, throughKafkaProxy: [] },
  run: async (context) => {
    const { platform, evidence, random, progress } = context;
    const stories: WithdrawalStory[] = await Promise.all(oddOnes(context).map((odd) => tell(odd)));
    const down = random.pick(['store', 'broker'] as const);
    progress(`${down} goes down`);
    stories.push(...(await whileDown(context, down)));
    stories.push(...(await whileCatalogueIsEmpty(context)));
    await platform.heal();
    return {
      violations: withdrawalsIn(stories, await evidence.readToEnd()),
      counts: { withdrawals: stories.length, whileDown: stories.filter(({ down: is }) => is !== undefined).length },
    };
  },
};

/** A withdrawal, and how its fact is found in the log when its answer does not say. */
interface OddWithdrawal {
  readonly what: string;
  readonly request: WriteRequest;
  readonly fact?: WithdrawalStory['fact'];
}

function oddOnes({ world, random }: RunContext): OddWithdrawal[] {
  const key = randomUUID();
  const [phone = ''] = world.numbers(1);
  const api = (what: string, json: unknown, idempotencyKey: string = randomUUID()): OddWithdrawal => ({
    what,
    request: {
      kind: 'stop',
      urls: world.urls('consent').map((url) => `${url}/v1/withdrawals`),
      headers: {
        authorization: `Bearer local-${random.pick(['capture', 'sender', 'operator'])}`,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
      },
      body: JSON.stringify(json),
    },
  });
  const webhook = (
    what: string,
    { body, headers }: { body: string; headers: Readonly<Record<string, string>> },
    fact: WithdrawalStory['fact'],
  ): OddWithdrawal => ({
    what,
    request: { kind: 'stop', urls: world.urls('consent').map((url) => `${url}/webhooks/whatsapp`), headers, body },
    fact,
  });
  const [wamid, otherWamid] = [`wamid.odd-${randomUUID()}`, `wamid.odd-${randomUUID()}`];
  const [stranger, preferring] = [oddSender(random), oddSender(random)];
  const said = { phone, wamid, text: 'STOP', atMs: Date.now() };
  return [
    api('unknown number', { recipient: { phone } }),
    api('a number that is none', { recipient: { phone: random.pick(['+0', 'abc', '1', '+999999999999999999']) } }),
    api('a number as a number', { recipient: { phone: 12025550143 } }),
    api('unknown id', { recipient: { bsuid: `US.${randomUUID()}` } }),
    api('unknown subject', { recipient: { subjectId: randomUUID() } }),
    api('in the future', { recipient: { phone }, occurredAt: '2999-01-01T00:00:00Z' }),
    api('at no time', { recipient: { phone }, occurredAt: random.pick([7, 'yesterday', {}, '2026-02-31T25:61:00Z']) }),
    api('of an unknown scope', { recipient: { phone }, scope: random.pick(['x', { kind: 'x' }, [], 1]) }),
    api('with unknown fields', { recipient: { phone, color: 'red' }, senderId: [], receipt: 'yes', more: { a: [1] } }),
    api('first of a key', { recipient: { phone } }, key),
    api('another body of that key', { recipient: { phone }, scope: { kind: 'sender', id: SENDER_ID } }, key),
    webhook('unknown number by webhook', textMessage(said), { wamid }),
    webhook('unknown sender', signed('messages', messageOf(phone, otherWamid), stranger), { senderId: stranger }),
    webhook('unknown sender’s preference', signed('user_preferences', preferenceOf(phone), preferring), {
      senderId: preferring,
    }),
    webhook('beside garbage', besideGarbage(phone, otherWamid), { wamid: otherWamid }),
  ];
}

/** A business number that nobody has registered. */
function oddSender(random: RunContext['random']): string {
  return `9${random.integer(10_000_000, 99_999_999)}`;
}

function messageOf(phone: string, wamid: string, change: object = {}): object {
  const from = phone.replace(/\D/g, '');
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return { messages: [{ from, id: wamid, timestamp, type: 'text', text: { body: 'STOP' }, ...change }] };
}

function preferenceOf(phone: string): object {
  const preference = { wa_id: phone.replace(/\D/g, ''), category: 'marketing_messages', value: 'stop' };
  return { user_preferences: [{ ...preference, timestamp: Math.floor(Date.now() / 1_000) }] };
}

/** One STOP in order among updates that nobody can read. */
function besideGarbage(phone: string, wamid: string): { body: string; headers: Readonly<Record<string, string>> } {
  const metadata = { display_phone_number: '12025550100', phone_number_id: SENDER_ID };
  const change = (value: object): object => ({ field: 'messages', value: { metadata, ...value } });
  const garbage = [
    null,
    7,
    'x',
    { field: 'messages' },
    change({ messages: 'x' }),
    change({ statuses: [null, { id: 5 }] }),
  ];
  const stop = change(messageOf(phone, wamid, { timestamp: '-1e99' }));
  const entry = [null, { changes: [...garbage, stop] }, { changes: { '0': 1 } }];
  const text = JSON.stringify({ object: 'whatsapp_business_account', entry });
  return signedBody(text.replace('"entry":[null', '"entry":[{"__proto__":{"changes":[1]}}'));
}

async function tell({ what, request, fact }: OddWithdrawal): Promise<WithdrawalStory> {
  return storyOf(what, await write(request), fact);
}

function storyOf(what: string, outcome: WriteOutcome, fact: WithdrawalStory['fact']): WithdrawalStory {
  const position = outcome.outcome === 'acknowledged' ? (outcome.write.ids['position'] ?? '') : '';
  const positions = [...position.matchAll(/[a-z.]+\/\d+@\d+/g)].map(([text]) => text);
  return { what, whileDown: [], status: 'status' in outcome ? outcome.status : undefined, positions, fact };
}

/** Each is tried while the part is down, all together, and then again until it is taken. */
async function whileDown(context: RunContext, down: 'store' | 'broker'): Promise<WithdrawalStory[]> {
  const { stack } = context.platform;
  await (down === 'store' ? stack.mongoProcess : stack.kafkaProcess).kill('SIGKILL');
  const odd = oddOnes(context);
  const tries = odd.map(() => [] as (number | undefined)[]);
  const patience = { patienceMs: 60_000 };
  const told = odd.map(({ what, request, fact }, index) =>
    write({ ...request, ...patience, onTry: (status) => tries[index]?.push(status) }).then((outcome) =>
      storyOf(what, outcome, fact),
    ),
  );
  await until(() => (tries.every(({ length }) => length >= TRIES_WHILE_DOWN) ? true : undefined), 30_000);
  const triedWhileDown = tries.map((statuses) => [...statuses]);
  await (down === 'store' ? stack.restartMongo() : stack.restartKafka());
  const stories = await Promise.all(told);
  return stories.map((story, index) => ({ ...story, down, whileDown: triedWhileDown[index] ?? [] }));
}

/** As in the first second of a new installation, or of a rebuild: consent knows no sender, purpose or notice yet. */
async function whileCatalogueIsEmpty(context: RunContext): Promise<WithdrawalStory[]> {
  const { platform } = context;
  const store = await createConnection(platform.stack.mongo.uri, { dbName: 'assent_consent' }).asPromise();
  try {
    for (const name of CATALOGUE) await store.collection(name).deleteMany({});
  } finally {
    await store.close();
  }
  // What it remembers is gone too.
  await platform.restart('consent-1');
  // Whose number it is may not be known then: the withdrawal is kept under that number, which is held.
  const stories = await Promise.all(
    oddOnes(context).map(({ what, fact, request }) =>
      tell({ what: `${what}, empty catalogue`, request, fact: { senderId: SENDER_ID, ...fact } }),
    ),
  );
  await platform.part('consent-1').stop();
  await rebuildService(platform, 'consent');
  return stories;
}
