import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { FaultyPipe } from './faulty-pipe.ts';
import { type Direction, type DirectionFaults, NO_FAULTS } from './proxy-faults.ts';

const HOST = '127.0.0.1';
/** Connections at a time: a platform of eight processes holds some 200. More are reset. */
const CONNECTIONS_MAX = 2_000;

interface Connection {
  readonly client: Socket;
  readonly target: Socket;
  readonly pipes: readonly FaultyPipe[];
}

/**
 * A TCP proxy on loopback whose network can be made bad while connections stand: late, slow, stalled in one direction,
 * reset at a byte, cut. Without faults it forwards and nothing else. What it holds is bounded per connection.
 */
export class FaultProxy {
  readonly #server: Server;
  readonly #target: () => number;
  readonly #random: () => number;
  readonly #connections = new Set<Connection>();
  #faults: Readonly<Record<Direction, DirectionFaults>> = { toTarget: NO_FAULTS, toClient: NO_FAULTS };
  #cut = false;

  private constructor(o: { targetPort: () => number; random: () => number }) {
    this.#target = o.targetPort;
    this.#random = o.random;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#accept(client);
    });
  }

  /**
   * Listens, resolves when it does.
   *
   * @param o `targetPort`: asked anew for each connection, so that a target may move; `port` 0 or absent: a free one;
   *   `random`: in [0, 1), for jitter; seed it
   */
  static async start(o: { targetPort: () => number; port?: number; random: () => number }): Promise<FaultProxy> {
    const proxy = new FaultProxy(o);
    proxy.#server.listen(o.port ?? 0, HOST);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Bytes held back now, over all connections. */
  get heldBytes(): number {
    return [...this.#connections].flatMap(({ pipes }) => pipes).reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Changes the faults of one direction, or of both, for connections that stand and those to come. */
  impair(direction: Direction | 'both', change: Partial<DirectionFaults>): void {
    const directions: readonly Direction[] = direction === 'both' ? ['toTarget', 'toClient'] : [direction];
    for (const one of directions) this.#faults = { ...this.#faults, [one]: { ...this.#faults[one], ...change } };
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.flow();
  }

  /** No connection gets through any more: new ones are reset, and those that stand unless they are `kept`. */
  cut({ kept = false }: { kept?: boolean } = {}): void {
    this.#cut = true;
    if (!kept) this.resetAll();
  }

  resetAll(): void {
    for (const connection of [...this.#connections]) this.#end(connection, 'reset');
  }

  /** Takes every fault back. */
  heal(): void {
    this.#cut = false;
    this.#faults = { toTarget: NO_FAULTS, toClient: NO_FAULTS };
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.flow();
  }

  async close(): Promise<void> {
    for (const connection of [...this.#connections]) this.#end(connection, 'destroy');
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#cut || this.#connections.size >= CONNECTIONS_MAX) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: this.#target(), host: HOST, allowHalfOpen: true, noDelay: true });
    const reset = (): void => {
      this.#end(connection, 'reset');
    };
    const pipe = (direction: Direction, source: Socket, sink: Socket): FaultyPipe =>
      new FaultyPipe({ source, sink, faults: () => this.#faults[direction], random: this.#random, reset });
    const pipes = [pipe('toTarget', client, target), pipe('toClient', target, client)];
    const connection: Connection = { client, target, pipes };
    this.#connections.add(connection);
    target.on('error', reset);
    client.on('error', reset);
    // A side that closed by itself may still have bytes on their way to the other.
    for (const socket of [client, target]) {
      socket.on('close', () => {
        if (client.closed && target.closed) this.#end(connection, 'destroy');
      });
    }
  }

  /** Both sides end the same way; what was held back is lost. */
  #end(connection: Connection, how: 'reset' | 'destroy'): void {
    if (!this.#connections.delete(connection)) return;
    for (const pipe of connection.pipes) pipe.stop();
    for (const socket of [connection.client, connection.target]) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
  }
}
