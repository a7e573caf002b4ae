import { createServer, type AddressInfo } from 'node:net';
import { isFree, pickFreePort } from './free-port.ts';

describe('a port', () => {
  it('is not free while somebody listens on it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await isFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isFree(port)).toBe(true);
  });

  it('is picked outside the range that systems take outgoing ports from', async () => {
    expect(await pickFreePort(() => 0.999)).toBeLessThan(32_768);
  });

  it('that is taken is passed over', async () => {
    const server = createServer();
    const taken = await pickFreePort();
    await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
    const draws = [(taken - 20_000) / 12_000 + 1e-6, 0.5, 0.6];
    expect(await pickFreePort(() => draws.shift() ?? 0)).not.toBe(taken);
    await new Promise((resolve) => server.close(resolve));
  });
});
