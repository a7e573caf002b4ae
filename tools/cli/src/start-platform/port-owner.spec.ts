import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { listeningInodes, ownerOfPort } from './port-owner.ts';

describe('the owner of a port', () => {
  it('is found by its listening socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(ownerOfPort(port)).toMatchObject({ pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(ownerOfPort(port)).toBeUndefined();
  });

  it('is read from the lines of the port that listen, not from connections', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:0FA1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0',
      '   1: 0100007F:0FA1 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0',
      '   2: 0100007F:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0',
    ].join('\n');
    expect(listeningInodes(table, 4001)).toEqual(['4711']);
  });
});
