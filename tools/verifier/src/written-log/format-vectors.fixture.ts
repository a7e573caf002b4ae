import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The vectors of a page in docs/formats: its one block of JSON. */
export function vectorsOf(page: string): unknown {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/formats', page), 'utf8');
  const [, json] = /```json\n(.*?)```/s.exec(text) ?? [];
  if (json === undefined) throw new RangeError(`${page} has no vectors`);
  return JSON.parse(json) as unknown;
}
