import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Kafka, logLevel, type ISocketFactory, type logCreator, type RetryOptions, type SASLOptions } from 'kafkajs';
import { KafkaUnreachableError, TopicsDifferError } from './event-log.errors.ts';
import { silentLogger, type EventLogLogger } from './logger.ts';

export interface KafkaSettings {
  /** `host:port` of at least one broker; all of them in production. */
  readonly brokers: readonly string[];
  /** Appears in the broker's logs and as the beginning of group member ids. */
  readonly clientId: string;
  /**
   * What at most one process can have at a time, such as a listening `host:port` that it has bound before it joins a
   * group. With it, a member that a killed process of the same place left behind is taken out of the group at once.
   */
  readonly place?: string;
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
  readonly logger?: EventLogLogger;
}

interface ClientTimes {
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Of the cluster level: connecting and metadata, never a produce or a fetch. Absent: each broker is tried once. */
  readonly retry?: RetryOptions;
}

/** A broker that is up accepts within milliseconds; a black-holed one should not hold a caller longer than this. */
export const CONNECTION_TIMEOUT_MS = 1_000;
const KEEP_ALIVE_MS = 60_000;
/** Between two brokers that are tried for a first connection. */
const SEED_PAUSE_MS = 10;

/** Keys of kafkajs log entries that are worth keeping and can hold nothing about a person. */
const LOGGED_FIELDS = ['broker', 'clientId', 'groupId', 'memberId', 'topic', 'partition', 'retryCount', 'retryTime'];

/** Who is asked first for the cluster; moves on with every client. */
let seedTurn = 0;

/**
 * A kafkajs client. Producers, offset lookups and consumers each get their own, because their times differ.
 *
 * kafkajs begins with the first broker it is given, gives up on it without retries, and never leaves one that accepts
 * connections but does not answer: a single broker away would be Kafka away. So each client begins with another broker
 * than the last one did, and tries all of them at once after each other.
 */
export function kafkaClient(settings: KafkaSettings, times: ClientTimes): Kafka {
  const { brokers } = settings;
  const first = seedTurn % brokers.length;
  seedTurn += 1;
  return new Kafka({
    clientId: settings.clientId,
    brokers: [...brokers.slice(first), ...brokers.slice(0, first)],
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    connectionTimeout: times.connectionTimeoutMs,
    requestTimeout: times.requestTimeoutMs,
    retry: times.retry ?? { retries: brokers.length - 1, initialRetryTime: SEED_PAUSE_MS, maxRetryTime: SEED_PAUSE_MS },
    socketFactory: undelayedSocket,
    logLevel: logLevel.INFO,
    logCreator: logTo(settings.logger ?? silentLogger),
  });
}

/** What a failure to connect, or to load the metadata of `topics`, means to a person. */
export function connectFailure(settings: KafkaSettings, topics: readonly string[], error: unknown): Error {
  if ((error as { type?: unknown }).type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new TopicsDifferError([`one of ${topics.join(', ')} does not exist: create it by provisioning the topics`]);
  }
  return new KafkaUnreachableError(settings.brokers, error);
}

/** kafkajs leaves Nagle's algorithm on, which holds the second of two small requests back until the first is acked. */
const undelayedSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const tls = ssl as ConnectionOptions | null | undefined; // null without TLS, whatever the type says
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = tls
    ? connectTls({ host, port, ...name, ...tls }, onConnect).setNoDelay(true)
    : connectTcp({ host, port, noDelay: true }, onConnect);
  socket.setMaxListeners(0); // kafkajs disconnects a dead socket again and again; each time adds a listener, and no leak
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
};

/** kafkajs reports every lost connection as an error although it then reconnects, so its levels go down by one. */
function logTo(logger: EventLogLogger): logCreator {
  return () =>
    ({ level, namespace, log }) => {
      const fields: Record<string, unknown> = { kafkajs: namespace };
      for (const name of LOGGED_FIELDS) if (log[name] !== undefined) fields[name] = log[name];
      if (level <= logLevel.ERROR) logger.warn(fields, log.message);
      else logger.debug(fields, log.message);
    };
}
