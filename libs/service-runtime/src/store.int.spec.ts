import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { jest } from '@jest/globals';
import { mongo } from 'mongoose';
import type { Connection } from 'mongoose';

import { connectStore } from './store.ts';

jest.setTimeout(60_000);

const READERS = 20;
/** More than the driver keeps between two looks for the server that somebody asks for, ms. */
const BETWEEN_ENDS_MS = 700;

/** What stands between a service and its store, and can end all connections in one moment. */
class Line {
  readonly #clients = new Set<Socket>();
  readonly #store: URL;
  readonly #server: Server;

  private constructor(store: URL) {
    this.#store = store;
    this.#server = createServer((client) => {
      const target = connect(Number(store.port || 27_017), store.hostname);
      this.#clients.add(client);
      client.on('error', () => target.destroy()).on('close', () => target.destroy());
      target.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => this.#clients.delete(client));
      client.pipe(target).pipe(client);
    });
  }

  static async to(store: URL): Promise<Line> {
    const line = new Line(store);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get uri(): string {
    const uri = new URL(this.#store);
    uri.host = `127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
    uri.searchParams.set('directConnection', 'true'); // a list of hosts would lead past the line
    return uri.href;
  }

  /** As the end of a process does: in order, the oldest connection first. */
  endAll(): void {
    for (const client of this.#clients) client.end();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('a store that ends all its connections at once', () => {
  let line: Line;
  let connection: Connection | undefined;

  beforeAll(async () => {
    line = await Line.to(new URL(process.env['MONGODB_URI'] ?? ''));
    connection = await connectStore(line.uri, `store-${String(process.pid)}`);
  });

  afterAll(async () => {
    await connection?.close();
    await line.close();
  });

  it('is found again by everybody who reads, and no read waits for ever', async () => {
    const reads = new Array<number>(READERS).fill(0);
    const readOf = (reader: number): Promise<unknown> => connection!.db!.collection('things').findOne({ reader });
    let stopped = false;
    const readers = reads.map(async (_, reader) => {
      while (!stopped) {
        await readOf(reader).then(
          () => (reads[reader]! += 1),
          (error: unknown) => {
            if (!(error instanceof mongo.MongoNetworkError)) throw error; // both tries met the end of a connection
          },
        );
      }
    });
    try {
      for (let round = 1; round <= 4; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_ENDS_MS));
        line.endAll();
        const before = [...reads];
        while (reads.some((count, reader) => count <= before[reader]! + 1)) {
          await Promise.race([...readers, new Promise((resolve) => setTimeout(resolve, 10))]);
        }
      }
    } finally {
      stopped = true;
    }
    await Promise.all(readers);
  });
});
