import { createRequire } from 'node:module';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const internal = createRequire(import.meta.url);

/** kafkajs's own readers and writers of the protocol's primitive types. */
interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string;
  readBytes(length?: number): Buffer;
  readArray<T>(reader: (decoder: Decoder) => T): T[];
}
interface Encoder {
  readonly buffer: Buffer;
  writeInt16(value: number): this;
  writeInt32(value: number): this;
  writeInt64(value: number): this;
  writeBoolean(value: boolean): this;
  writeString(value: string | null): this;
  writeEncoder(value: Encoder): this;
  writeArray(values: readonly Encoder[] | readonly number[]): this;
}
const DecoderOf = internal('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder;
const EncoderOf = internal('kafkajs/src/protocol/encoder.js') as new () => Encoder;
const decodeRecordBatch = internal('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: Decoder,
) => Promise<{ records: { value: Buffer }[] }>;

/** What the stub can speak: key and the one version of each. */
const PRODUCE = { key: 0, version: 7 };
const LIST_OFFSETS = { key: 2, version: 3 };
const METADATA = { key: 3, version: 6 };
const API_VERSIONS = { key: 18, version: 2 };
const SPOKEN = [PRODUCE, LIST_OFFSETS, METADATA, API_VERSIONS];

export const NOT_LEADER = 6;
/** The leader has the records; too few followers took them. They may survive. */
export const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20;

/** What happens to one produce request. */
export type ProduceFault =
  | { kind: 'answers' }
  /** The reply never comes; `appended` tells whether the records are in the log. */
  | { kind: 'loses the reply'; appended: boolean }
  | { kind: 'closes the connection'; appended: boolean }
  /** Appends, and the connection ends in the middle of the reply. */
  | { kind: 'closes in the middle of the reply' }
  /** Answers for the other partitions only. */
  | { kind: 'leaves out'; partitions: readonly number[]; appended: boolean }
  | { kind: 'refuses'; partitions: readonly number[]; errorCode: number; appended: boolean }
  /** This partition is led by that broker from now on; the request that carries it comes too late. */
  | { kind: 'moves the leader'; partition: number; to: number }
  | { kind: 'answers late' }
  | { kind: 'answers twice' };

interface ProducedPartition {
  readonly partition: number;
  readonly values: readonly string[];
}

interface Answer {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
}

/**
 * A cluster of one topic `t` that speaks just enough of Kafka's protocol for a producer and for end offsets, and
 * misbehaves as told, one fault per produce request, then behaves. As in a cluster, a broker appends only what it leads.
 */
export class BrokerStub {
  /** Values by partition; the index is the offset. */
  readonly log: string[][];
  /** The broker (0, 1, …) that leads each partition. */
  readonly leaders: number[];
  readonly faults: ProduceFault[] = [];
  readonly produced: { broker: number; partitions: number[] }[] = [];
  /** Brokers that accept connections and answer nothing at all. */
  readonly silent = new Set<number>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly late = new Set<NodeJS.Timeout>();

  private constructor(
    partitions: number,
    brokers: number,
    private readonly lateMs: number,
  ) {
    this.log = Array.from({ length: partitions }, () => []);
    this.leaders = this.log.map((_, partition) => partition % brokers);
  }

  /** `lateMs`: how late a late answer is. */
  static async start(o: { brokers: number; partitions: number; lateMs: number }): Promise<BrokerStub> {
    const stub = new BrokerStub(o.partitions, o.brokers, o.lateMs);
    for (let broker = 0; broker < o.brokers; broker += 1) await stub.listen(broker);
    return stub;
  }

  get addresses(): string[] {
    return this.servers.map((_, broker) => `127.0.0.1:${this.portOf(broker)}`);
  }

  async stop(): Promise<void> {
    for (const timer of this.late) clearTimeout(timer);
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private portOf(broker: number): number {
    return (this.servers[broker]?.address() as AddressInfo).port;
  }

  private listen(broker: number): Promise<void> {
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      socket.on('error', () => undefined); // the client discards connections at will
      let received = Buffer.alloc(0);
      let serving = Promise.resolve();
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
          const size = received.readInt32BE(0);
          const request = received.subarray(4, 4 + size);
          received = received.subarray(4 + size);
          serving = serving.then(() => this.serve(broker, socket, new DecoderOf(request)));
        }
      });
    });
    this.servers[broker] = server;
    return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  private async serve(broker: number, socket: Socket, request: Decoder): Promise<void> {
    if (this.silent.has(broker)) return;
    const apiKey = request.readInt16();
    request.readInt16(); // version: the only one that is spoken
    const correlationId = request.readInt32();
    request.readString(); // client id
    const reply = (body: Encoder): Buffer => framed(correlationId, body);
    if (apiKey === API_VERSIONS.key) socket.write(reply(apiVersions()));
    else if (apiKey === METADATA.key) socket.write(reply(this.metadata()));
    else if (apiKey === LIST_OFFSETS.key) socket.write(reply(this.listedOffsets(request)));
    else if (apiKey === PRODUCE.key) await this.produce(broker, socket, request, reply);
    else socket.destroy();
  }

  private metadata(): Encoder {
    const brokers = this.servers.map((_, broker) =>
      new EncoderOf().writeInt32(broker).writeString('127.0.0.1').writeInt32(this.portOf(broker)).writeString(null),
    );
    const everyBroker = this.servers.map((_, broker) => broker);
    const partitions = this.leaders.map((leader, partition) =>
      new EncoderOf()
        .writeInt16(0)
        .writeInt32(partition)
        .writeInt32(leader)
        .writeArray(everyBroker)
        .writeArray(everyBroker)
        .writeArray([] as number[]),
    );
    const topic = new EncoderOf().writeInt16(0).writeString('t').writeBoolean(false).writeArray(partitions);
    return new EncoderOf().writeInt32(0).writeArray(brokers).writeString('stub').writeInt32(0).writeArray([topic]);
  }

  private listedOffsets(request: Decoder): Encoder {
    request.readInt32(); // replica id
    request.readInt8(); // isolation level
    const topics = request.readArray((topic) => ({
      name: topic.readString(),
      partitions: topic.readArray((item) => [item.readInt32(), item.readInt64()] as const),
    }));
    const answers = topics.map(({ name, partitions }) =>
      new EncoderOf().writeString(name).writeArray(
        partitions.map(([partition]) =>
          new EncoderOf()
            .writeInt32(partition)
            .writeInt16(0)
            .writeInt64(-1)
            .writeInt64(this.log[partition]?.length ?? -1),
        ),
      ),
    );
    return new EncoderOf().writeInt32(0).writeArray(answers);
  }

  private async produce(
    broker: number,
    socket: Socket,
    request: Decoder,
    reply: (body: Encoder) => Buffer,
  ): Promise<void> {
    const partitions = await producedPartitions(request);
    this.produced.push({ broker, partitions: partitions.map(({ partition }) => partition) });
    const fault = this.nextFault(partitions.map(({ partition }) => partition));
    const answers = this.answersTo(broker, partitions, fault);
    const bytes = reply(produceAnswer(answers));
    switch (fault.kind) {
      case 'loses the reply':
        return;
      case 'closes the connection':
        socket.destroy();
        return;
      case 'closes in the middle of the reply':
        socket.end(bytes.subarray(0, bytes.length - 5));
        return;
      case 'answers late':
        this.later(() => socket.write(bytes));
        return;
      case 'answers twice':
        socket.write(Buffer.concat([bytes, bytes]));
        return;
      default:
        socket.write(bytes);
    }
  }

  private nextFault(partitions: readonly number[]): ProduceFault {
    const [first] = this.faults;
    const waits = first?.kind === 'moves the leader' && !partitions.includes(first.partition);
    return (waits ? undefined : this.faults.shift()) ?? { kind: 'answers' };
  }

  /** Appends what this broker leads and the fault lets it append; answers what it would say about it. */
  private answersTo(broker: number, partitions: readonly ProducedPartition[], fault: ProduceFault): Answer[] {
    if (fault.kind === 'moves the leader') this.leaders[fault.partition] = fault.to;
    return partitions.flatMap(({ partition, values }): Answer[] => {
      if (this.leaders[partition] !== broker) return [{ partition, errorCode: NOT_LEADER, baseOffset: -1 }];
      const named = 'partitions' in fault && fault.partitions.includes(partition);
      const spares = 'appended' in fault && !fault.appended && (named || !('partitions' in fault));
      const baseOffset = spares ? -1 : this.append(partition, values);
      if (named && fault.kind === 'leaves out') return [];
      if (named && fault.kind === 'refuses') return [{ partition, errorCode: fault.errorCode, baseOffset: -1 }];
      return [{ partition, errorCode: 0, baseOffset }];
    });
  }

  private append(partition: number, values: readonly string[]): number {
    const stored = (this.log[partition] ??= []);
    stored.push(...values);
    return stored.length - values.length;
  }

  private later(work: () => void): void {
    const timer = setTimeout(() => {
      this.late.delete(timer);
      work();
    }, this.lateMs);
    this.late.add(timer);
  }
}

function framed(correlationId: number, body: Encoder): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + body.buffer.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body.buffer]);
}

function apiVersions(): Encoder {
  const versions = SPOKEN.map(({ key, version }) =>
    new EncoderOf().writeInt16(key).writeInt16(version).writeInt16(version),
  );
  return new EncoderOf().writeInt16(0).writeArray(versions).writeInt32(0);
}

async function producedPartitions(request: Decoder): Promise<ProducedPartition[]> {
  request.readString(); // transactional id
  request.readInt16(); // acks
  request.readInt32(); // timeout
  const sent = request.readArray((topic) => {
    topic.readString();
    return topic.readArray((data) => ({ partition: data.readInt32(), batch: data.readBytes() }));
  });
  return Promise.all(
    sent.flat().map(async ({ partition, batch }) => {
      const { records } = await decodeRecordBatch(new DecoderOf(batch));
      return { partition, values: records.map(({ value }) => value.toString()) };
    }),
  );
}

function produceAnswer(answers: readonly Answer[]): Encoder {
  const partitions = answers.map(({ partition, errorCode, baseOffset }) =>
    new EncoderOf().writeInt32(partition).writeInt16(errorCode).writeInt64(baseOffset).writeInt64(-1).writeInt64(0),
  );
  const topic = new EncoderOf().writeString('t').writeArray(partitions);
  return new EncoderOf().writeArray([topic]).writeInt32(0);
}
