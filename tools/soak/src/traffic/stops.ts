import { randomUUID } from 'node:crypto';
import type { AcknowledgedStop } from '../checkers/no-send-after-stop.ts';
import type { Scope } from '../checkers/consent-facts.ts';
import { write, type WriteOutcome } from './acknowledged-writes.ts';
import { CATEGORY, PURPOSE_ID, SENDER_ID } from './cast.ts';
import type { SeededRandom } from './seeded-random.ts';
import { buttonPress, preferenceStop, stoppedStatus, textMessage } from './whatsapp-webhooks.ts';
import type { Person, World } from './world.ts';

/** Every way in which a person can stop. */
export const STOP_PATHS = ['keyword', 'button', 'user-preferences', 'error-131050', 'page', 'api'] as const;
export type StopPath = (typeof STOP_PATHS)[number];

const MARKETING: Scope = { kind: 'category', id: CATEGORY };
const EVERYTHING: Scope = { kind: 'all' };
const SAID = ['STOP', 'stop', 'Stop.', 'UNSUBSCRIBE', 'stop all'] as const;
/** Narrower than everything, and all of them cover the offers of a run. */
const API_SCOPES: readonly Scope[] = [
  EVERYTHING,
  MARKETING,
  { kind: 'channel', id: 'whatsapp' },
  { kind: 'purpose', id: PURPOSE_ID },
  { kind: 'sender', id: SENDER_ID },
];

/**
 * A person stops in one of the ways; repeated until it is acknowledged, as WhatsApp, a browser's user or a team would.
 *
 * @throws Error when it is refused (I6) or never answered
 */
export async function stop(
  world: World,
  person: Person,
  path: StopPath,
  random: SeededRandom,
): Promise<AcknowledgedStop> {
  const { scope, outcome } = await tell(world, person, path, random);
  if (outcome.outcome !== 'acknowledged') throw new Error(`a STOP by ${path} was ${outcome.outcome}`);
  return { ...outcome.write, subjectId: person.subjectId, scope };
}

async function tell(
  world: World,
  { phone, subjectId }: Person,
  path: StopPath,
  random: SeededRandom,
): Promise<{ scope: Scope; outcome: WriteOutcome }> {
  const kind = `stop by ${path}`;
  const said = { phone, wamid: `wamid.stop-${randomUUID()}`, atMs: Date.now() };
  switch (path) {
    case 'keyword':
      return {
        scope: EVERYTHING,
        outcome: await world.webhook(kind, textMessage({ ...said, text: random.pick(SAID) })),
      };
    case 'button':
      return {
        scope: EVERYTHING,
        outcome: await world.webhook(kind, buttonPress({ ...said, text: 'Stop', payload: 'OPTOUT' })),
      };
    case 'user-preferences':
      return { scope: MARKETING, outcome: await world.webhook(kind, preferenceStop(said)) };
    case 'error-131050':
      return { scope: MARKETING, outcome: await world.webhook(kind, stoppedStatus(said)) };
    case 'page':
      return { scope: EVERYTHING, outcome: await pressOnPage(world, kind, subjectId) };
    case 'api': {
      const scope = random.pick(API_SCOPES);
      const json = { recipient: { phone }, scope, senderId: SENDER_ID, receipt: random.chance(0.5) };
      return { scope, outcome: await world.post('consent', '/v1/withdrawals', { kind, role: 'capture', json }) };
    }
  }
}

/** A team puts the link into a message; the person opens it and presses the button. */
async function pressOnPage(world: World, kind: string, subjectId: string): Promise<WriteOutcome> {
  const made = await world.post('consent', '/v1/unsubscribe-links', { kind, role: 'sender', json: { subjectId } });
  const url = made.outcome === 'acknowledged' ? made.write.ids['url'] : undefined;
  if (url === undefined) throw new Error('no unsubscribe link was made');
  const token = new URL(url).pathname;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return write({ kind, urls: world.urls('consent').map((base) => `${base}${token}`), headers, body: '' });
}
