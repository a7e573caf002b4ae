import { formatPosition } from '@assent/contracts';
import { ADA, BEN, RECEIPT_TEMPLATE } from './cast.ts';
import { ask, askThroughTopic, codes, decide } from './message-steps.ts';
import { bodyOf, check, eventually, present, type Step, type StopMeasure, WAIT_MS, type World } from './step.ts';

/** Decisions asked for after the acknowledgement, to see that none of them allows any more. */
const DECISIONS_AFTER = 5;
/** "Within seconds". */
const RECEIPT_WITHIN_MS = 5_000;
const NO_STOP = 'none, the step with STOP did not hold';

export const writeStop: Step = {
  title: `${ADA.name} writes STOP`,
  async run(world) {
    const from = world.log.events.length;
    const subjectId = world.known.subjects.get(ADA.name);
    const measure = await stopAndMeasure(world);
    world.known.stop = measure;
    const withdrawal = await eventually(
      world,
      from,
      'consent.withdrawn.v1',
      ({ data }) => data.subjectId === subjectId,
      `of ${ADA.name}`,
    );
    world.known.withdrawal = withdrawal;
    const { scope, method } = withdrawal.data;
    check(
      scope.kind === 'all' && method === 'keyword',
      'a withdrawal from everything by keyword',
      `${scope.kind} by ${method}`,
    );
    const { toRefusalMs, decisionsAfter } = measure;
    const when =
      toRefusalMs === 0
        ? 'before the webhook was answered'
        : `${toRefusalMs.toFixed(0)} ms after the webhook was answered`;
    return {
      says: `The gate refuses ${ADA.name} ${when}; of ${decisionsAfter} decisions asked for after the answer none allowed.`,
      events: [withdrawal],
    };
  },
};

/** Asks the gate without a pause while STOP comes in, and compares the first refusal with the webhook's 200. */
async function stopAndMeasure(world: World): Promise<StopMeasure> {
  const before = await decide(world, ADA);
  check(before.verdict === 'allow', 'a message allowed before STOP', `${before.verdict} ${codes(before.reasons)}`);
  const messageId = await world.people.write(ADA.phone, 'STOP');
  const acknowledged = world.people.acknowledgedAt(messageId, WAIT_MS);
  let acknowledgedAt: number | undefined;
  void acknowledged.then((at) => (acknowledgedAt = at));
  const asked: { readonly begunAt: number; readonly answeredAt: number; readonly verdict: string }[] = [];
  const deadline = performance.now() + WAIT_MS;
  for (let after = 0; after < DECISIONS_AFTER && performance.now() < deadline;) {
    const begunAt = wallClock();
    const { verdict } = await decide(world, ADA);
    asked.push({ begunAt, answeredAt: wallClock(), verdict });
    if (acknowledgedAt !== undefined && begunAt > acknowledgedAt) after += 1;
  }
  const at = present(await acknowledged, 'a 200 for the STOP webhook');
  const refused = present(
    asked.find(({ verdict }) => verdict === 'refuse'),
    'a refusal',
    `${asked.length} decisions that allow`,
  );
  const after = asked.filter(({ begunAt }) => begunAt > at);
  const allowed = after.filter(({ verdict }) => verdict === 'allow').length;
  check(allowed === 0, 'no decision that allows after the acknowledgement', `${allowed} of ${after.length}`);
  return { acknowledgedAt: at, toRefusalMs: Math.max(0, refused.answeredAt - at), decisionsAfter: after.length };
}

export const getReceipt: Step = {
  title: 'The receipt arrives',
  async run(world) {
    const { withdrawal, stop } = world.known;
    const cause = present(withdrawal, 'a withdrawal', NO_STOP);
    const inbox = await world.people.inbox(ADA.phone, 3, WAIT_MS);
    const receipt = present(
      inbox.find(({ template }) => template?.name === RECEIPT_TEMPLATE.name),
      'the receipt in the inbox',
    );
    const ms = receipt.receivedAtMs - (stop?.acknowledgedAt ?? receipt.receivedAtMs);
    check(ms <= RECEIPT_WITHIN_MS, `the receipt within ${RECEIPT_WITHIN_MS / 1_000} s`, `${(ms / 1_000).toFixed(1)} s`);
    const intended = await eventually(
      world,
      0,
      'dispatch.attempt-intended.v1',
      ({ data }) => data.class === 'withdrawal-receipt' && data.cause.id === cause.data.withdrawalId,
      'of the receipt',
    );
    const { dispatchId } = intended.data;
    const sent = await eventually(
      world,
      0,
      'dispatch.attempt-sent.v1',
      ({ data }) => data.dispatchId === dispatchId,
      'of the receipt',
    );
    return {
      says: `"${receipt.text}" It came ${Math.max(0, ms).toFixed(0)} ms after the webhook was answered, through the same gate as everything else.`,
      events: [intended, sent],
    };
  },
};

export const cancelScheduled: Step = {
  title: 'The two scheduled messages are cancelled',
  async run(world) {
    const position = formatPosition(present(world.known.withdrawal, 'a withdrawal', NO_STOP).position);
    const events = [];
    for (const which of ['tomorrow', 'at-night'] as const) {
      const dispatchId = present(
        world.known.dispatches.get(which),
        `the message for ${which}`,
        'none, an earlier step did not hold',
      );
      const cancelled = await eventually(
        world,
        0,
        'dispatch.cancelled.v1',
        ({ data }) => data.dispatchId === dispatchId,
        `(${which})`,
      );
      const { reason } = cancelled.data;
      check(
        reason.code === 'withdrawn' && reason.ref === position,
        `the reason withdrawn at ${position}`,
        `${reason.code} ${reason.ref ?? ''}`,
      );
      const minPosition = formatPosition(cancelled.position);
      const answer = await world.client.call('dispatch', 'GET', `/v1/dispatches/${dispatchId}`, {
        role: 'sender',
        minPosition,
      });
      const { status } = bodyOf<{ status: string }>(answer, 200);
      check(status === 'cancelled', 'status cancelled', status);
      events.push(cancelled);
    }
    return {
      says: `Tomorrow 9:00 and tomorrow 8:00 will not leave. Each names its cause, the withdrawal at ${position}.`,
      events,
    };
  },
};

export const refuseNewRequests: Step = {
  title: 'New requests are refused with their reason',
  async run(world) {
    const position = formatPosition(present(world.known.withdrawal, 'a withdrawal', NO_STOP).position);
    const from = world.log.events.length;
    const asked = await ask(world, ADA, { kind: 'now' });
    const [reason] = asked.reasons;
    check(asked.status === 'refused', 'a refusal over HTTP', `${asked.status} ${codes(asked.reasons)}`);
    check(
      reason?.code === 'withdrawn' && reason.ref === position,
      `the reason withdrawn at ${position}`,
      codes(asked.reasons),
    );
    const { requestId } = await askThroughTopic(world, ADA, { kind: 'now' });
    const overKafka = await eventually(
      world,
      from,
      'dispatch.refused.v1',
      ({ data }) => data.requestId === requestId,
      'of the request through Kafka',
    );
    check(
      overKafka.data.reasons[0]?.code === 'withdrawn',
      'the reason withdrawn through Kafka',
      codes(overKafka.data.reasons),
    );
    const ben = await decide(world, BEN);
    check(ben.verdict === 'allow', `${BEN.name} still allowed`, `${ben.verdict} ${codes(ben.reasons)}`);
    const overHttp = world.log.events.filter(
      (event) => event.type === 'dispatch.refused.v1' && event.data.dispatchId === asked.dispatchId,
    );
    return {
      says: `"${reason.text}" Over HTTP and through Kafka alike; ${BEN.name}, who did not stop, may still be written to.`,
      events: [...overHttp, overKafka],
    };
  },
};

export const checkSuppression: Step = {
  title: 'Whoever asks before sending by other ways is told to block',
  async run(world) {
    const withdrawal = present(world.known.withdrawal, 'a withdrawal', NO_STOP);
    const position = formatPosition(withdrawal.position);
    const checks = [ADA, BEN].map(({ phone }) => ({ recipient: { phone } }));
    const answer = await world.client.call('suppression', 'POST', '/v1/checks', { role: 'sender', json: { checks } });
    const { answers } = bodyOf<{ answers: { answer: string; causes: { kind: string; position?: string }[] }[] }>(
      answer,
      200,
    );
    const [ada, ben] = answers;
    check(ada?.answer === 'block', `block for ${ADA.name}`, ada?.answer ?? 'no answer');
    const cause = ada.causes.find((candidate) => candidate.position === position);
    check(
      cause?.kind === 'withdrawal',
      `the withdrawal at ${position} as the cause`,
      ada.causes.map(({ kind }) => kind).join(', '),
    );
    check(ben?.answer === 'clear', `clear for ${BEN.name}`, ben?.answer ?? 'no answer');
    return {
      says: `The suppression service answers block for ${ADA.name} because of the same withdrawal, and clear for ${BEN.name}.`,
      events: [withdrawal],
    };
  },
};

/** Epoch milliseconds with fractions, comparable between processes of one machine. */
function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
