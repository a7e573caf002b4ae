import { formatPosition } from '@assent/contracts';
import {
  ADA,
  BEN,
  CHLOE,
  CONFIRM_TEMPLATE,
  DAN,
  KEYWORD,
  LANGUAGE,
  type Person,
  PUBLIC_CODE,
  PURPOSE_ID,
} from './cast.ts';
import { decide } from './message-steps.ts';
import {
  bodyOf,
  check,
  eventually,
  present,
  type Recorded,
  type Step,
  type StepOutcome,
  textOf,
  WAIT_MS,
  type World,
} from './step.ts';

type Method = 'form' | 'button' | 'qr' | 'keyword';

export const optInOnPage: Step = {
  title: `${ADA.name} opts in on the page`,
  async run(world) {
    const path = `/optin/${PUBLIC_CODE}`;
    const shown = textOf(await world.client.call('consent', 'GET', path));
    check(shown.includes('type="checkbox"') && !shown.includes('checked'), 'a box that is not ticked', 'another page');
    return optIn(world, ADA, 'form', async () => {
      const form = { phone: ADA.phone, timeZone: world.zone, agree: 'yes', language: LANGUAGE };
      bodyOf(await world.client.call('consent', 'POST', path, { form }), 200);
    });
  },
};

export const optInByButton: Step = {
  title: `${BEN.name} opts in by a button`,
  run: (world) =>
    optIn(world, BEN, 'button', async () => {
      await world.people.pressElsewhere(BEN.phone, 'Get offers', `OPTIN|${PUBLIC_CODE}`);
    }),
};

export const optInByQrCode: Step = {
  title: `${CHLOE.name} opts in by a QR code`,
  async run(world) {
    const drawing = textOf(await world.client.call('consent', 'GET', `/optin/${PUBLIC_CODE}/qr.svg`));
    const link = present(
      /<title>(https:\/\/wa\.me\/[^<]+)<\/title>/.exec(drawing)?.[1],
      'a QR code that opens WhatsApp',
    );
    const prefilled = present(
      new URL(link.replaceAll('&amp;', '&')).searchParams.get('text') ?? undefined,
      'a prefilled text',
    );
    return optIn(world, CHLOE, 'qr', async () => {
      await world.people.write(CHLOE.phone, prefilled);
    });
  },
};

export const optInByKeyword: Step = {
  title: `${DAN.name} opts in by a keyword`,
  run: (world) =>
    optIn(world, DAN, 'keyword', async () => {
      await world.people.write(DAN.phone, KEYWORD.toLowerCase());
    }),
};

/** Asks to join in some way, gets the one question, answers it, and is subscribed; never before. */
async function optIn(world: World, person: Person, method: Method, ask: () => Promise<void>): Promise<StepOutcome> {
  const from = world.log.events.length;
  await ask();
  const requested = await eventually(
    world,
    from,
    'consent.requested.v1',
    ({ data }) => data.method === method,
    `by ${method}`,
  );
  const { subjectId, requestId } = requested.data;
  world.known.subjects.set(person.name, subjectId);
  const [question] = await world.people.inbox(person.phone, 1, WAIT_MS);
  check(
    question?.template?.name === CONFIRM_TEMPLATE.name,
    'the double-opt-in question',
    question?.text ?? 'no message',
  );
  const early = await decide(world, person, [formatPosition(requested.position)]);
  check(early.verdict === 'refuse', 'no message to somebody who has not confirmed', `the verdict ${early.verdict}`);
  await world.people.press(person.phone, CONFIRM_TEMPLATE.buttons[0].text);
  const granted = await eventually(
    world,
    from,
    'consent.granted.v1',
    ({ data }) => data.requestId === requestId,
    `of ${person.name}`,
  );
  await assertGranted(world, person, granted);
  if (method !== 'form') await declareZone(world, person);
  const sent = await eventually(
    world,
    from,
    'dispatch.attempt-sent.v1',
    ({ data }) => data.subjectId === subjectId,
    'of the question',
  );
  const how = {
    form: 'ticks the box',
    button: 'presses a button',
    qr: 'scans the code and sends its text',
    keyword: `writes ${KEYWORD}`,
  };
  return {
    says: `${person.name} ${how[method]}, gets one question on WhatsApp and answers Yes. Only then is ${person.name} subscribed (a message before was refused: ${early.reasons[0]?.code ?? ''}).`,
    events: [requested, sent, granted],
  };
}

async function assertGranted(world: World, person: Person, granted: Recorded<'consent.granted.v1'>): Promise<void> {
  const json = { recipient: { phone: person.phone } };
  const minPosition = formatPosition(granted.position);
  const answer = await world.client.call('consent', 'POST', '/v1/consents/search', {
    role: 'sender',
    json,
    minPosition,
  });
  const { people } = bodyOf<{ people: { grants: { purposeId: string; basis: string }[] }[] }>(answer, 200);
  const grants = people.flatMap(({ grants: all }) => all);
  const proven = grants.some(({ purposeId, basis }) => purposeId === PURPOSE_ID && basis === 'confirmed');
  check(
    proven,
    `a confirmed grant for ${PURPOSE_ID}`,
    grants.map(({ purposeId, basis }) => `${purposeId} ${basis}`).join(', ') || 'none',
  );
}

async function declareZone(world: World, person: Person): Promise<void> {
  const json = { recipient: { phone: person.phone }, timeZone: world.zone };
  bodyOf(await world.client.call('consent', 'PUT', '/v1/preferences', { role: 'capture', json }), 200);
}
