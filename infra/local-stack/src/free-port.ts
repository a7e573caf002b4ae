import { createServer } from 'node:net';

/**
 * Below the range systems take outgoing ports from (Linux 32768, macOS 49152): there, a connection of any process could
 * take the port between our look and the server's bind, and a client could even connect to itself.
 */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const ATTEMPTS_MAX = 100;

/** A port on 127.0.0.1 that was free a moment ago. Who starts a server on it must be ready to try another. */
export async function pickFreePort(random: () => number = Math.random): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = PORT_MIN + Math.floor(random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) {
      return port;
    }
  }
  throw new Error(`no free port found between ${PORT_MIN} and ${PORT_MAX}`);
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
