import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs';

const TOPIC = 'bench.round-trip';
/** The size of a withdrawal with its headers. */
const VALUE = Buffer.alloc(700, 'x');

/** One record, produced and consumed, with nothing around it: the least that any refusal has to wait for. */
export class BareRoundTrip {
  #arrived: () => void = () => undefined;

  private constructor(
    private readonly producer: Producer,
    private readonly consumer: Consumer,
  ) {}

  static async open(brokers: string[]): Promise<BareRoundTrip> {
    const kafka = new Kafka({ brokers, clientId: 'bench', logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
    const producer = kafka.producer();
    const consumer = kafka.consumer({ groupId: 'bench', maxWaitTimeInMs: 500, minBytes: 1 });
    const trip = new BareRoundTrip(producer, consumer);
    await Promise.all([producer.connect(), consumer.connect()]);
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: () => {
        trip.#arrived();
        return Promise.resolve();
      },
    });
    await joined;
    await trip.once();
    return trip;
  }

  /** Milliseconds from the send to the consumer's handler; the acknowledgement lies in between. */
  async once(): Promise<number> {
    const beganAt = performance.now();
    const arrived = new Promise<number>((resolve) => {
      this.#arrived = () => {
        resolve(performance.now() - beganAt);
      };
    });
    await this.producer.send({ topic: TOPIC, acks: -1, messages: [{ value: VALUE }] });
    return arrived;
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.disconnect(), this.consumer.disconnect()]);
  }
}
