import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { mongo } from 'mongoose';

import { amendMongodb } from './mongodb-internals.ts';

interface DriverConnection extends EventEmitter {
  command(ns: object, command: object, options?: object): Promise<unknown>;
  destroy(): void;
}
const ofMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));
const { Connection } = ofMongoose('mongodb/lib/cmap/connection.js') as {
  Connection: new (socket: Socket, options: object) => DriverConnection;
};
const { ns } = ofMongoose('mongodb/lib/utils.js') as { ns: (name: string) => object };

const MORE_THAN_A_SOCKET_TAKES = 'x'.repeat(14 * 1024 * 1024);

describe('a command of the MongoDB driver', () => {
  let server: Server;
  let socket: Socket;
  let connection: DriverConnection;

  beforeAll(amendMongodb);

  beforeEach(async () => {
    server = createServer((client) => client.on('error', () => undefined).pause()); // takes nothing, says nothing
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    connection = new Connection(socket, { id: 1, hostAddress: 'store', generation: 0, monitorCommands: false });
  });

  afterEach(() => {
    connection.destroy();
    server.close();
  });

  it('fails when its socket is gone and the end of it is not reported yet', async () => {
    socket.destroy();
    await expect(connection.command(ns('admin.$cmd'), { ping: 1 })).rejects.toBeInstanceOf(mongo.MongoNetworkError);
    expect(connection.listenerCount('close')).toBe(0);
  });

  it('fails when the other side does not take it in time', async () => {
    const large = connection.command(ns('things.$cmd'), { insert: MORE_THAN_A_SOCKET_TAKES }, { socketTimeoutMS: 50 });
    await expect(large).rejects.toBeInstanceOf(mongo.MongoNetworkTimeoutError);
    expect(connection.listenerCount('close')).toBe(0);
  });
});
