import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseVerifierKey } from '@assent/merkle-log';
import { LogKey } from './log-key.ts';

describe('the signing key in a file', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assent-key-'));
    path = join(folder, 'keys/signing-key.pem');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is made on demand, readable by its owner only, and the same ever after', async () => {
    const made = await LogKey.load(path, true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await LogKey.load(path, true);
    expect(again.fingerprint).toBe(made.fingerprint);
    expect(made.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(parseVerifierKey(made.verifierKey('log.example')).name).toBe('log.example');
  });

  it('is not made where it must be there', async () => {
    await expect(LogKey.load(path, false)).rejects.toMatchObject({ code: 'signing-key-unusable' });
  });

  it('is refused when others can read it', async () => {
    await LogKey.load(path, true);
    await chmod(path, 0o644);
    await expect(LogKey.load(path, true)).rejects.toMatchObject({ code: 'signing-key-unusable' });
  });

  it.each([
    [
      'another kind of key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ],
    ['no key at all', 'hello'],
  ])('is refused when the file holds %s', async (_, content) => {
    await LogKey.load(path, true);
    await writeFile(path, content);
    await expect(LogKey.load(path, true)).rejects.toMatchObject({ code: 'signing-key-unusable' });
  });
});
