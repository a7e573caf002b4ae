/**
 * A platform team's program: asks for one message through the topic dispatch.requests and follows dispatch.events for the
 * answer. The recipient travels sealed to dispatch's public key, so nobody who reads the topic learns who is meant.
 */
import { randomUUID } from 'node:crypto';
import {
  type AnyEvent,
  dataSchemaOf,
  decodeEvent,
  encodeEvent,
  EventDecodeError,
  type LogRecord,
  type RecordedEvent,
  sealDispatchRequest,
} from '@assent/contracts';
import { type EachMessagePayload, Kafka, logLevel, Partitioners } from 'kafkajs';
import { phoneOf, readSettings } from './settings.ts';

const FOLLOW_MS = 30_000;
const ANSWERS = 'dispatch.events';

const { dispatchUrl, brokers, tenant, senderId, purposeId, template, parameters } = readSettings(process.env);
const phone = phoneOf(process.argv, 'ask-through-kafka');
const kafka = new Kafka({ clientId: 'platform-team', brokers: [...brokers], logLevel: logLevel.ERROR });

const requestId = randomUUID();
const answers = await followAnswers(requestId);
await send(await requestEvent());
console.log(`${requestId} asked`);
process.exitCode = await answers.outcome;
await answers.close();

/** The request as an event: its id is the request's, so a repeat of it is the same request. */
async function requestEvent(): Promise<AnyEvent> {
  const answer = await fetch(`${dispatchUrl}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: Parameters<typeof sealDispatchRequest>[0][] };
  const [key] = keys;
  if (key === undefined) throw new Error('dispatch publishes no key');
  return {
    id: requestId,
    source: '/platform-team',
    type: 'dispatch.requested.v1',
    time: new Date().toISOString(),
    tenant,
    partitionKey: requestId,
    dataSchema: dataSchemaOf('dispatch.requested.v1'),
    data: {
      requestId,
      sealedRecipient: await sealDispatchRequest(key, { recipient: { phone }, parameters: [...parameters] }),
      purposeId,
      senderId,
      template,
      schedule: { kind: 'now' },
    },
  };
}

async function send(event: AnyEvent): Promise<void> {
  const { topic, key, headers, value } = encodeEvent('dispatch.requests', event);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const asHeaders = Object.fromEntries(headers.map((header) => [header.name, Buffer.from(header.value)]));
  // acks -1: acknowledged by every replica in sync.
  await producer.send({
    topic,
    acks: -1,
    messages: [{ key, headers: asHeaders, value: Buffer.from(value) }],
  });
  await producer.disconnect();
}

/** Reads dispatch.events from where it ends now. The answer names the request; what follows names the dispatch. */
async function followAnswers(id: string): Promise<{ outcome: Promise<number>; close(): Promise<void> }> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(ANSWERS);
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: `platform-team-${id}` });
  await consumer.connect();
  await consumer.subscribe({ topic: ANSWERS });
  let dispatchId: string | undefined;
  const outcome = new Promise<number>((resolve) => {
    const timer = setTimeout(() => {
      console.error('no final answer yet; ask GET /v1/dispatches/{id}');
      resolve(1);
    }, FOLLOW_MS);
    const end = (code: number): void => {
      clearTimeout(timer);
      resolve(code);
    };
    void consumer.run({
      autoCommit: false,
      eachMessage: (payload) => {
        const event = readable(payload);
        if (
          event !== undefined &&
          'requestId' in event.data &&
          event.data.requestId === id &&
          'dispatchId' in event.data
        )
          dispatchId = event.data.dispatchId;
        const code = event === undefined ? undefined : told(event, id, dispatchId);
        if (code !== undefined) end(code);
        return Promise.resolve();
      },
    });
  });
  for (const { partition, high } of ends) consumer.seek({ topic: ANSWERS, partition, offset: high });
  return { outcome, close: () => consumer.disconnect() };
}

/** Prints what an event says about our request; answers the exit code when it is the last one to wait for. */
function told(event: RecordedEvent, id: string, dispatchId: string | undefined): number | undefined {
  const { type, data } = event;
  const isOurs = 'dispatchId' in data ? data.dispatchId === dispatchId : 'requestId' in data && data.requestId === id;
  if (!isOurs) return undefined;
  const { topic, partition, offset } = event.position;
  console.log(`${type} ${topic}/${partition}@${offset}`);
  const reasons =
    'reasons' in data ? data.reasons : 'reason' in data && typeof data.reason === 'object' ? [data.reason] : [];
  for (const { code, text } of reasons) console.log(`  ${code}: ${text}`);
  switch (type) {
    case 'dispatch.request-refused.v1':
    case 'dispatch.refused.v1':
    case 'dispatch.cancelled.v1':
    case 'dispatch.attempt-unknown.v1':
      return 1;
    case 'dispatch.planned.v1':
      return Date.parse(event.data.dueAt) > Date.now() + FOLLOW_MS ? 0 : undefined;
    case 'dispatch.status-recorded.v1':
      return event.data.status === 'delivered' ? 0 : event.data.status === 'failed' ? 1 : undefined;
    default:
      return undefined;
  }
}

/** An event of a type that this program does not know, from a newer Assent, is skipped. */
function readable({ topic, partition, message }: EachMessagePayload): RecordedEvent | undefined {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => ({
    name,
    value: Buffer.from(String(value)),
  }));
  const { key, value, offset, timestamp } = message;
  const record: LogRecord = {
    topic,
    partition,
    offset: Number(offset),
    timestampMs: Number(timestamp),
    key,
    headers,
    value,
  };
  try {
    return decodeEvent(record);
  } catch (error) {
    if (error instanceof EventDecodeError) return undefined;
    throw error;
  }
}
