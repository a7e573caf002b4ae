import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Clock } from '../clock.ts';
import type { ArrivalTime } from './call-log.ts';

/**
 * Notes when the first byte of each request arrives: before its headers are whole, so that a slow sender cannot make a
 * call look later than it began. Connections with several requests at once (pipelining) are not told apart.
 */
export class FirstByteTimes {
  private readonly times = new WeakMap<Socket, ArrivalTime>();

  constructor(
    server: Server,
    private readonly clock: Clock,
  ) {
    server.on('connection', (socket: Socket) => {
      // In front of the HTTP parser's own listener, which would call the request handler first.
      socket.prependListener('data', () => {
        if (!this.times.has(socket)) this.times.set(socket, this.moment());
      });
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      response.once('close', () => this.times.delete(request.socket));
    });
  }

  of(request: IncomingMessage): ArrivalTime {
    return this.times.get(request.socket) ?? this.moment();
  }

  private moment(): ArrivalTime {
    return { receivedAtMs: this.clock.now(), receivedAtMonotonicMs: this.clock.monotonicMs() };
  }
}
