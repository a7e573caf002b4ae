import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileKeyWrapper } from './file-key-wrapper.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-kek-'));
});
afterEach(() => rm(folder, { recursive: true }));

const owner = { tenant: 'acme', subjectId: 'subject-1' };
const kekText = `${Buffer.alloc(32, 9).toString('base64')}\n`;

describe('a key file that does not exist', () => {
  it('is not made unless that was asked for', async () => {
    const path = join(folder, 'kek');
    await expect(FileKeyWrapper.open(path, { createIfMissing: false })).rejects.toMatchObject({ code: 'missing' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is made for its owner alone, in a folder of its own, and nothing else is left there', async () => {
    const path = join(folder, 'secrets', 'kek');
    await FileKeyWrapper.open(path, { createIfMissing: true });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'secrets'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, 'secrets'))).toEqual(['kek']);
    expect(Buffer.from(await readFile(path, 'utf8'), 'base64')).toHaveLength(32);
  });

  it('is made once when several processes start together', async () => {
    const path = join(folder, 'kek');
    const wrappers = await Promise.all(
      Array.from({ length: 8 }, () => FileKeyWrapper.open(path, { createIfMissing: true })),
    );
    const kekIds = await Promise.all(
      wrappers.map(async (wrapper) => (await wrapper.wrap(Buffer.alloc(32), owner)).kekId),
    );
    expect(new Set(kekIds).size).toBe(1);
    expect(await readdir(folder)).toEqual(['kek']);
  });

  it('is an error when it cannot be made', async () => {
    const path = join(folder, 'file', 'kek');
    await writeFile(join(folder, 'file'), '');
    await expect(FileKeyWrapper.open(path, { createIfMissing: true })).rejects.toMatchObject({ code: 'inaccessible' });
  });
});

describe('a key file', () => {
  async function openWith(text: string, mode = 0o600) {
    const path = join(folder, 'kek');
    await writeFile(path, text, { mode });
    await chmod(path, mode);
    return FileKeyWrapper.open(path, { createIfMissing: true });
  }

  it.each([0o600, 0o400])('is taken with mode %o', async (mode) => {
    expect((await (await openWith(kekText, mode)).wrap(Buffer.alloc(32), owner)).kekId).toMatch(/^file-[0-9a-f]{16}$/);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('is refused with mode %o, which lets others read it', async (mode) => {
    await expect(openWith(kekText, mode)).rejects.toMatchObject({ code: 'unsafe-permissions' });
  });

  it.each([
    ['nothing', ''],
    ['a shorter key', Buffer.alloc(31).toString('base64')],
    ['a longer key', Buffer.alloc(48).toString('base64')],
    ['another encoding', Buffer.alloc(32).toString('hex')],
    ['more than the key', `${kekText}${kekText}`],
  ])('is refused, never replaced, when it holds %s', async (_name, text) => {
    await expect(openWith(text)).rejects.toMatchObject({ code: 'malformed' });
    expect(await readFile(join(folder, 'kek'), 'utf8')).toBe(text);
  });

  it('is refused when it is a folder', async () => {
    await mkdir(join(folder, 'kek'), { mode: 0o700 });
    await expect(FileKeyWrapper.open(join(folder, 'kek'), { createIfMissing: true })).rejects.toMatchObject({
      code: 'inaccessible',
    });
  });
});
