import { DEMO_RULE_SET } from '@assent/send-rules';
import {
  CAPTURE_POINT,
  CONFIRM_TEMPLATE,
  NOTICE,
  OFFERS_TEMPLATE,
  PEOPLE,
  PURPOSE,
  RECEIPT_TEMPLATE,
  SENDER,
} from './cast.ts';
import { atPositions, bodyOf, check, type Step, type World } from './step.ts';

interface Written {
  readonly position: string;
}

/** The sender, its templates and the hours for sending; the simulator learns the same, as Meta would know them. */
export const registerSender: Step = {
  title: 'A sender, its templates and the hours for sending are registered',
  async run(world) {
    const positions: string[] = [];
    const write = async (path: string, json: object): Promise<void> => {
      positions.push((await written(world, 'dispatch', path, json)).position);
    };
    await write('/v1/senders', SENDER);
    for (const template of [CONFIRM_TEMPLATE, RECEIPT_TEMPLATE, OFFERS_TEMPLATE]) {
      await write('/v1/templates', template);
      await world.people.registerTemplate(asPlatformKnows(template));
    }
    await write('/v1/rule-sets', DEMO_RULE_SET);
    for (const { phone, name } of PEOPLE) await world.people.register(phone, name);
    await world.log.look();
    // Consent learns whose number this is from the same topic.
    await world.client.call('consent', 'GET', '/v1/purposes', { role: 'admin', minPosition: positions.join(', ') });
    return {
      says: `${SENDER.displayName} may send from its number: 3 templates, every day from 8 to 21 in the recipient's own time zone.`,
      events: atPositions(world, positions),
    };
  },
};

/** Which button withdraws is Assent's knowledge, not WhatsApp's. */
function asPlatformKnows(template: {
  readonly name: string;
  readonly buttons?: readonly { kind: string; text: string }[];
}): object {
  const { buttons } = template;
  return {
    ...template,
    ...(buttons === undefined ? {} : { buttons: buttons.map(({ kind, text }) => ({ kind, text })) }),
  };
}

/** A purpose, what people are told about it, and where they can opt in. */
export const publishNotice: Step = {
  title: 'A purpose, its notice and a capture point are published',
  async run(world) {
    const purpose = await written(world, 'consent', '/v1/purposes', PURPOSE);
    const notice = await written(world, 'consent', '/v1/notices', NOTICE);
    const point = await written(
      world,
      'consent',
      '/v1/capture-points',
      CAPTURE_POINT,
      `${purpose.position}, ${notice.position}`,
    );
    const answer = await world.client.call('consent', 'GET', '/v1/capture-points', {
      role: 'admin',
      minPosition: point.position,
    });
    const { capturePoints } = bodyOf<{ capturePoints: unknown[] }>(answer, 200);
    check(capturePoints.length === 1, 'one capture point', String(capturePoints.length));
    await world.log.look();
    return {
      says: `The notice says who writes, what about and how to stop. People can opt in on a page, by button, by QR code, or by writing ${CAPTURE_POINT.keyword}.`,
      events: atPositions(world, [purpose.position, notice.position, point.position]),
    };
  },
};

async function written(
  { client }: World,
  service: 'consent' | 'dispatch',
  path: string,
  json: object,
  minPosition?: string,
): Promise<Written> {
  const seen = minPosition === undefined ? {} : { minPosition };
  return bodyOf<Written>(await client.call(service, 'POST', path, { role: 'admin', json, ...seen }), 201);
}
