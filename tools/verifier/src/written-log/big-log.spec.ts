import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyFolder } from '../run/verify-folder.ts';
import { writeBigLog } from './big-log.fixture.ts';

describe('a log for measurements', () => {
  it('is a valid one, of the size that was asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assent-big-'));
    const leaves = writeBigLog(folder, { leaves: 1_200, partitions: 2, storiesPerHead: 50 });
    const result = await verifyFolder({ folder });
    expect(result).toMatchObject({ faults: [], checked: { logs: 4, leaves, attempts: leaves / 4, heads: 26 } });
    rmSync(folder, { recursive: true });
  }, 30_000);
});
