import { createConnection } from 'mongoose';
import type { Connection } from 'mongoose';
import { amendMongodb } from './mongodb-internals.ts';

/** How long an operation waits for a usable primary, ms: a webhook is answered 503 well within Meta's patience. */
const SERVER_SELECTION_TIMEOUT_MS = 5_000;
/**
 * How long a connection may take to open, and the driver's look for the primary to be answered, ms. With the driver's
 * 30 s one host that accepts a connection in the moment in which it ends, and then says nothing, costs half a minute.
 */
const CONNECT_TIMEOUT_MS = 3_000;
/** How long one operation may take on the wire, ms. */
const SOCKET_TIMEOUT_MS = 20_000;
/** Connections of one process: two cores keep fewer busy. */
const POOL_SIZE_MAX = 20;

/**
 * Connects to a service's own database. Writes are acknowledged by a majority and journaled, reads go to the primary.
 * The driver repeats a write once by itself only where the server supports that (not on the fallback engine); ours are
 * repeatable anyway.
 *
 * @throws the driver's error when no server answers within {@link SERVER_SELECTION_TIMEOUT_MS}
 */
export async function connectStore(uri: string, databaseName: string): Promise<Connection> {
  amendMongodb();
  const connection = createConnection(uri, {
    dbName: databaseName,
    appName: databaseName,
    writeConcern: { w: 'majority', journal: true },
    readPreference: 'primary',
    serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
    maxPoolSize: POOL_SIZE_MAX,
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
  });
  try {
    return await connection.asPromise();
  } catch (error) {
    await connection.destroy().catch(() => undefined);
    throw error;
  }
}

/** The store's wall clock, epoch ms: another machine's view of the time, in production the primary's. */
export async function storeTime(connection: Connection): Promise<number> {
  if (connection.db === undefined) throw new TypeError('the connection to the store is not open');
  const { localTime } = (await connection.db.command({ hello: 1 })) as { localTime: Date };
  return localTime.getTime();
}

/** A readiness check of the store. */
export async function pingStore(connection: Connection): Promise<string | undefined> {
  if (connection.db === undefined) return 'not connected';
  await connection.db.command({ ping: 1 });
  return undefined;
}
