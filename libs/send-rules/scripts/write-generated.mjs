import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Writes a module into src/generated, or with `--check` compares it with the one that is there: the process then ends
 * with code 1 when they differ, so that CI notices data without its module.
 */
export function writeGenerated(name, text) {
  const file = new URL(`../src/generated/${name}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
    return;
  }
  if (readFileSync(file, 'utf8') === text) return;
  console.error(`src/generated/${name} is not what its data makes; run npm run generate -w @assent/send-rules`);
  process.exitCode = 1;
}
