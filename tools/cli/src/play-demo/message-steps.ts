import { randomUUID } from 'node:crypto';
import {
  type AnyEvent,
  dataSchemaOf,
  encodeEvent,
  formatPosition,
  type Reason,
  sealDispatchRequest,
} from '@assent/contracts';
import { localInstant } from '@assent/send-rules';
import { ADA, LANGUAGE, OFFERS_TEMPLATE, type Person, PURPOSE_ID, SENDER_ID } from './cast.ts';
import { localTomorrow } from './choose-zone.ts';
import { atPositions, bodyOf, check, eventually, present, type Step, WAIT_MS, type World } from './step.ts';

const TEMPLATE = { name: OFFERS_TEMPLATE.name, language: LANGUAGE };
const TOMORROW_AT = '09:00';
const NIGHT_AT = '03:00';
const ALLOWED_FROM = '08:00';

export interface Decision {
  readonly verdict: 'allow' | 'hold' | 'refuse';
  readonly reasons: readonly Reason[];
}

interface AskedDispatch {
  readonly dispatchId: string;
  readonly status: string;
  readonly dueAt?: string;
  readonly reasons: readonly Reason[];
  readonly position: string;
}

function messageTo({ name, phone }: Person): object {
  const parameters = [name, 'this month'];
  return { recipient: { phone }, purposeId: PURPOSE_ID, senderId: SENDER_ID, template: TEMPLATE, parameters };
}

/** The gate's verdict of a message now; nothing is sent. */
export async function decide({ client }: World, person: Person, positions: readonly string[] = []): Promise<Decision> {
  const seen = positions.length === 0 ? {} : { minPosition: positions.join(', ') };
  return bodyOf(
    await client.call('dispatch', 'POST', '/v1/decisions', { role: 'sender', json: messageTo(person), ...seen }),
    200,
  );
}

/** A platform team asks over HTTP. */
export async function ask({ client }: World, person: Person, schedule: object): Promise<AskedDispatch> {
  const json = { ...messageTo(person), schedule };
  return bodyOf(await client.call('dispatch', 'POST', '/v1/dispatches', { role: 'sender', json }), 202);
}

/** A platform team asks through Kafka: recipient and parameters sealed to dispatch's published key. */
export async function askThroughTopic(
  world: World,
  { name, phone }: Person,
  schedule: object,
): Promise<{ requestId: string; position: string }> {
  const { keys } = bodyOf<{ keys: Parameters<typeof sealDispatchRequest>[0][] }>(
    await world.client.call('dispatch', 'GET', '/.well-known/jwks.json'),
    200,
  );
  const key = present(keys[0], 'a public key at /.well-known/jwks.json');
  const requestId = randomUUID();
  const sealedRecipient = await sealDispatchRequest(key, { recipient: { phone }, parameters: [name, 'this month'] });
  const event = {
    id: requestId,
    source: '/demo',
    type: 'dispatch.requested.v1',
    time: new Date().toISOString(),
    tenant: 'acme',
    partitionKey: requestId,
    dataSchema: dataSchemaOf('dispatch.requested.v1'),
    data: { requestId, sealedRecipient, purposeId: PURPOSE_ID, senderId: SENDER_ID, template: TEMPLATE, schedule },
  } as AnyEvent;
  const [position] = await world.log.log.append([encodeEvent('dispatch.requests', event)]);
  return { requestId, position: formatPosition(present(position, 'a position of the request')) };
}

export const askForThree: Step = {
  title: `A platform team asks for three messages to ${ADA.name}`,
  async run(world) {
    const from = world.log.events.length;
    const { dispatches } = world.known;
    const date = localTomorrow(Date.now(), world.zone);
    const now = await ask(world, ADA, { kind: 'now' });
    check(now.status === 'planned', 'the first one planned', `${now.status} ${codes(now.reasons)}`);
    dispatches.set('now', now.dispatchId);

    const request = await askThroughTopic(world, ADA, { kind: 'local', date, time: TOMORROW_AT });
    const night = instantOf(world.zone, date, NIGHT_AT);
    const atNight = await ask(world, ADA, { kind: 'at', at: new Date(night).toISOString() });
    dispatches.set('at-night', atNight.dispatchId);
    const morning = instantOf(world.zone, date, ALLOWED_FROM);
    check(
      atNight.dueAt === new Date(morning).toISOString(),
      `the night one planned for ${ALLOWED_FROM} local`,
      atNight.dueAt ?? atNight.status,
    );
    const why = atNight.reasons[0];
    check(why?.code === 'outside-send-window', 'the reason outside-send-window', codes(atNight.reasons));

    const accepted = await eventually(
      world,
      from,
      'dispatch.accepted.v1',
      ({ data }) => data.requestId === request.requestId,
      'of the topic',
    );
    dispatches.set('tomorrow', accepted.data.dispatchId);
    const planned = await eventually(
      world,
      from,
      'dispatch.planned.v1',
      ({ data }) => data.dispatchId === accepted.data.dispatchId,
      'of the request through Kafka',
    );
    const nine = new Date(instantOf(world.zone, date, TOMORROW_AT)).toISOString();
    check(planned.data.dueAt === nine, `tomorrow ${TOMORROW_AT} local`, planned.data.dueAt);
    return {
      says: `Now (HTTP), tomorrow at 9:00 local (through Kafka, the recipient sealed), and at 3:00 in the night (HTTP), which is planned for 8:00: ${why.text}`,
      events: [...atPositions(world, [now.position, request.position, atNight.position]), accepted, planned],
      details: [`${world.zone}; tomorrow is ${date}`],
    };
  },
};

export const deliverFirst: Step = {
  title: 'The first message is delivered',
  async run(world) {
    const dispatchId = present(
      world.known.dispatches.get('now'),
      'a first message',
      'none, an earlier step did not hold',
    );
    const isOurs = ({ data }: { data: { dispatchId: string } }): boolean => data.dispatchId === dispatchId;
    const intended = await eventually(world, 0, 'dispatch.attempt-intended.v1', isOurs, 'before the call');
    const sent = await eventually(world, 0, 'dispatch.attempt-sent.v1', isOurs, 'after the call');
    const delivered = await eventually(
      world,
      0,
      'dispatch.status-recorded.v1',
      (event) => isOurs(event) && event.data.status === 'delivered',
      'delivered',
    );
    const minPosition = formatPosition(delivered.position);
    const found = await world.client.call('dispatch', 'GET', `/v1/dispatches/${dispatchId}`, {
      role: 'sender',
      minPosition,
    });
    const { status } = bodyOf<{ status: string }>(found, 200);
    check(status === 'delivered', 'status delivered', status);
    const inbox = await world.people.inbox(ADA.phone, 2, WAIT_MS);
    const message = present(
      inbox.find(({ template }) => template?.name === OFFERS_TEMPLATE.name),
      'the message in the inbox',
    );
    const logs = Object.keys(intended.data.gate.positions).length;
    return {
      says: `"${message.text}" The gate waited for ${logs} logs, wrote its intent, and called ${sent.data.checkToCallMs} ms after the check.`,
      events: [intended, sent, delivered],
    };
  },
};

/** Epoch ms of a local wall time in one zone. */
function instantOf(zone: string, date: string, time: string): number {
  return present(localInstant({ date, time, zones: [zone] }), `an instant of ${time} in ${zone}`);
}

export function codes(reasons: readonly Reason[]): string {
  return reasons.map(({ code }) => code).join(', ') || 'no reason';
}
