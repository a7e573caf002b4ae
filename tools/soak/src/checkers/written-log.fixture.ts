import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { leafHashOfEntry, rootsAt } from './audit-trees.ts';

const TILE_WIDTH = 256;

/** Root of these leaves. */
export function rootOfLeaves(leaves: readonly Buffer[]): Buffer {
  return rootsAt(leaves, [leaves.length]).get(leaves.length) ?? Buffer.alloc(0);
}

/** The text of a checkpoint of `local/<log>`; nobody's signature. */
export function noteOf(log: string, size: number, root: Buffer, more: readonly string[] = []): string {
  return [`local/${log}`, size, root.toString('base64'), ...more, '', '— local sig', ''].join('\n');
}

/** Writes a log as an audit folder has it, C2SP tlog-tiles, for fewer than 256,000 entries. */
export function writeLog(folder: string, name: string, entries: readonly Buffer[]): void {
  const at = join(folder, name);
  const leaves = entries.map(leafHashOfEntry);
  for (let level = 0, hashes = leaves; hashes.length > 0; level += 1) {
    const above: Buffer[] = [];
    for (const { path, items } of tiles(hashes)) {
      write(join(at, 'tile', String(level), path), Buffer.concat(items));
      if (items.length === TILE_WIDTH) above.push(rootOfLeaves(items));
    }
    hashes = above;
  }
  for (const { path, items } of tiles(entries)) write(join(at, 'tile', 'entries', path), bundleOf(items));
  write(join(at, 'checkpoint'), Buffer.from(noteOf(name.replace('logs/', ''), entries.length, rootOfLeaves(leaves))));
}

function bundleOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

function tiles(items: readonly Buffer[]): { path: string; items: readonly Buffer[] }[] {
  return Array.from({ length: Math.ceil(items.length / TILE_WIDTH) }, (_, index) => {
    const part = items.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH);
    const name = String(index).padStart(3, '0');
    return { path: part.length === TILE_WIDTH ? name : `${name}.p/${part.length}`, items: part };
  });
}

function write(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
