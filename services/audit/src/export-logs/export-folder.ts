import { copyFile, link, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../merkle-logs/folder-log-store.ts';

/** Looks at the folder until nothing goes from it meanwhile: partial tiles come and go while a log grows. */
const LOOKS_MAX = 5;

/**
 * Makes a second folder of a folder of logs that may be written meanwhile, and answers how many files it has. The heads'
 * checkpoint is taken first, then the logs' checkpoints, then everything they cover; so whatever a checkpoint in the
 * export says is in the export. Files are linked, which takes no room, as they are never changed, only replaced; where
 * links are not possible they are copied.
 */
export async function exportFolder(from: string, to: string): Promise<number> {
  const first = ['manifest.json', 'heads/checkpoint'];
  for (const topic of await names(join(from, 'logs'))) {
    for (const partition of await names(join(from, 'logs', topic))) first.push(`logs/${topic}/${partition}/checkpoint`);
  }
  const taken = new Set<string>();
  for (const path of first) if (await take(join(from, path), join(to, path))) taken.add(path);
  // What went was replaced by something wider, which the next look finds.
  for (let look = 1; look <= LOOKS_MAX && !(await takeFolder(from, to, '', taken)); look += 1);
  return taken.size;
}

/** Takes what is in a folder and was not taken yet; false when something went before it could be taken. */
async function takeFolder(from: string, to: string, below: string, taken: Set<string>): Promise<boolean> {
  const there = await entries(join(from, below));
  let whole = there.length > 0;
  for (const entry of there) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) whole = (await takeFolder(from, to, path, taken)) && whole;
    else if (entry.isFile() && !taken.has(path)) {
      if (await take(join(from, path), join(to, path))) taken.add(path);
      else whole = false;
    }
  }
  return whole;
}

/** False when the file is gone, or was taken before. */
async function take(from: string, to: string): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return true;
    if (codeOf(error) === 'ENOENT') return false;
    await copyFile(from, to);
    return true;
  }
}

async function names(folder: string): Promise<string[]> {
  return (await entries(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function entries(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
}
