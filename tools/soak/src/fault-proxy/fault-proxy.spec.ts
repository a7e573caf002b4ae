import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HELD_BYTES_MAX } from './faulty-pipe.ts';
import { FaultProxy } from './fault-proxy.ts';

/** Answers what it gets, and ends when the client does. */
function echo(): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  return server.listen(0, '127.0.0.1');
}

describe('A fault proxy in front of an echo', () => {
  let target: Server;
  let targetPort: number;
  let proxy: FaultProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    target = echo();
    await once(target, 'listening');
    targetPort = (target.address() as AddressInfo).port;
    proxy = await FaultProxy.start({ targetPort: () => targetPort, random: () => 0 });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    target.close();
  });

  function open(): { socket: Socket; received: () => string; ended: Promise<string> } {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    clients.push(socket);
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
    const ended = new Promise<string>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? 'error');
      });
      socket.once('end', () => {
        resolve('end');
      });
    });
    return { socket, received: () => received, ended };
  }

  it('forwards everything in both directions, and the end behind it', async () => {
    const text = 'x'.repeat(3 * HELD_BYTES_MAX);
    const { socket, received, ended } = open();
    socket.end(text);
    expect(await ended).toBe('end');
    expect(received()).toBe(text);
  });

  it('keeps the order of what is late by different times, and loses nothing at the end', async () => {
    const delays = [0.9, 0.1, 0.5, 0, 0.3];
    await proxy.close();
    proxy = await FaultProxy.start({ targetPort: () => targetPort, random: () => delays.shift() ?? 0 });
    proxy.impair('both', { delayMs: 1, jitterMs: 30 });
    const { socket, received, ended } = open();
    for (const part of ['a', 'b', 'c', 'd']) {
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end('e');
    expect(await ended).toBe('end');
    expect(received()).toBe('abcde');
  });

  it.each([0, 1, 5])('resets once %i bytes of an answer have passed', async (bytes) => {
    proxy.impair('toClient', { resetAfter: { bytes } });
    const { socket, received, ended } = open();
    socket.write('0123456789');
    expect(await ended).toBe('ECONNRESET');
    expect('0123456789'.slice(0, bytes)).toContain(received());
  });

  it('holds back one direction only while it is stalled, and forwards it when healed', async () => {
    const { socket, received } = open();
    socket.write('1');
    await once(socket, 'data');
    proxy.impair('toClient', { stalled: true });
    socket.write('2');
    while (proxy.heldBytes === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(received()).toBe('1');
    proxy.heal();
    await once(socket, 'data');
    expect(received()).toBe('12');
  });

  it('holds a bounded part of what it may not forward', async () => {
    proxy.impair('toTarget', { stalled: true });
    const { socket } = open();
    const accepted = (): boolean => socket.write(Buffer.alloc(HELD_BYTES_MAX));
    for (let n = 0; n < 32 && accepted(); n += 1) await new Promise((resolve) => setImmediate(resolve));
    while (proxy.heldBytes < HELD_BYTES_MAX) await new Promise((resolve) => setImmediate(resolve));
    expect(proxy.heldBytes).toBeLessThan(2 * HELD_BYTES_MAX);
  });

  it('cuts what stands and what comes, until it is healed', async () => {
    const before = open();
    before.socket.write('1');
    await once(before.socket, 'data');
    proxy.cut();
    expect(await before.ended).toBe('ECONNRESET');
    expect(await open().ended).toBe('ECONNRESET');
    proxy.heal();
    const after = open();
    after.socket.end('2');
    expect(await after.ended).toBe('end');
    expect(proxy.connections).toBe(0);
  });

  it('is slow, not lossy, with little bandwidth', async () => {
    proxy.impair('toClient', { bytesPerSecond: 100_000 });
    const { socket, received, ended } = open();
    socket.end('y'.repeat(5_000));
    expect(await ended).toBe('end');
    expect(received()).toHaveLength(5_000);
  });

  it('ends a connection whose target is gone', async () => {
    target.close();
    await once(target, 'close');
    expect(await open().ended).toBe('ECONNRESET');
  });
});
