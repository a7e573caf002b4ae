/**
 * Writes src/generated/shipped-rules-<version>.ts from rules/*.json. A version that was released never changes (a test
 * pins its digest): for new rules count VERSION up, keep the module of the version before and name both in
 * src/shipped-rules.ts. `npm run generate -w @assent/send-rules`; with `--check` it only compares.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { writeGenerated } from './write-generated.mjs';

const VERSION = 1;
const folder = new URL('../rules/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')));

writeGenerated(
  `shipped-rules-${VERSION}.ts`,
  [
    '// Made by scripts/generate-shipped-rules.mjs from rules/*.json. Do not edit.',
    "import type { JurisdictionFile } from '../rule.ts';\n",
    `export const ASSENT_${VERSION}: readonly JurisdictionFile[] = [`,
    ...files.map((file) => `  ${JSON.stringify(file)},`),
    '];\n',
  ].join('\n'),
);
