/**
 * Writes src/generated/jurisdiction-file-schema.ts from rules/jurisdiction-file.schema.json, the one place that says
 * what a rule looks like. `npm run generate -w @assent/send-rules`; with `--check` it only compares.
 */
import { readFileSync } from 'node:fs';
import { writeGenerated } from './write-generated.mjs';

const schema = readFileSync(new URL('../rules/jurisdiction-file.schema.json', import.meta.url), 'utf8');

writeGenerated(
  'jurisdiction-file-schema.ts',
  [
    '// Made by scripts/generate-rule-schema.mjs from rules/jurisdiction-file.schema.json. Do not edit.',
    `export const JURISDICTION_FILE_SCHEMA = ${JSON.stringify(JSON.parse(schema))} as const;\n`,
  ].join('\n'),
);
