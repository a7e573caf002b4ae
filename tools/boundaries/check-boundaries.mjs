#!/usr/bin/env node
/**
 * Checks who imports whom, that no folder is empty or too deep, and that every rule can fail: each rule of
 * .dependency-cruiser.cjs and each of our own lint rules has a fixture here that must break it.
 *
 * Prints one line per check and `boundaries: N passed, N failed`; exit code 1 when anything failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import eslintConfig from '../../eslint.config.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const fixtures = join(here, 'fixtures');
const ruleSet = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
const SOURCE_FOLDERS = ['libs', 'services', 'tools', 'infra', 'examples', 'e2e'];
/** services/<service>/src/<slice>/<file>: a reader finds a sentence's code by folder names alone. */
const SERVICE_PATH_PARTS_MAX = 5;

let passed = 0;
let failed = 0;
function report(ok, what, detail = '') {
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? '✓' : '✗'} ${what}${ok || detail === '' ? '' : `\n    ${detail}`}`);
}

async function violationsIn(folder) {
  const before = process.cwd();
  process.chdir(folder);
  try {
    const present = SOURCE_FOLDERS.filter((name) => existsSync(join(folder, name)));
    const options = { ...ruleSet.options, ruleSet: { forbidden: ruleSet.forbidden }, validate: true };
    const result = await cruise(present, options, ruleSet.options.enhancedResolveOptions);
    return { violations: result.output.summary.violations, modules: result.output.modules.length };
  } finally {
    process.chdir(before);
  }
}

async function checkImports() {
  const { violations, modules } = await violationsIn(root);
  const lines = violations.map((v) => `${v.rule.name}: ${v.from} → ${v.to}`);
  report(
    violations.length === 0 && modules > 50,
    `imports of ${modules} modules keep every rule`,
    lines.join('\n    '),
  );
}

async function checkImportRulesCanFail() {
  for (const rule of ruleSet.forbidden) {
    const fixture = join(fixtures, 'imports', rule.name);
    if (!existsSync(fixture)) {
      report(false, `fixture that breaks ${rule.name}`, `missing: ${relative(root, fixture)}`);
      continue;
    }
    const { violations } = await violationsIn(fixture);
    report(
      violations.some((v) => v.rule.name === rule.name),
      `fixture that breaks ${rule.name} is caught`,
      `found: ${violations.map((v) => v.rule.name).join(', ') || 'nothing'}`,
    );
  }
}

/** Lints one fixture text as if it stood at `filePath`, without type information. */
async function lintAs(filePath, text) {
  const config = eslintConfig.filter((entry) => Object.keys(entry).some((key) => key !== 'ignores'));
  const eslint = new ESLint({
    cwd: root,
    overrideConfigFile: true,
    overrideConfig: [
      ...config,
      { ...tseslint.configs.disableTypeChecked, files: ['**/*.ts'] },
      { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } },
    ],
  });
  const [result] = await eslint.lintText(text, { filePath: join(root, filePath) });
  return result.messages;
}

/** A lint fixture begins with `// breaks: <rule> <part of the message>` and `// at: <path it stands for>`. */
async function checkLintRulesCanFail() {
  for (const name of readdirSync(join(fixtures, 'lint')).sort()) {
    const text = readFileSync(join(fixtures, 'lint', name), 'utf8');
    const [, rule, part] = /^\/\/ breaks: (\S+) (.*)$/m.exec(text) ?? [];
    const [, at] = /^\/\/ at: (\S+)$/m.exec(text) ?? [];
    const messages = await lintAs(at, text);
    const hit = messages.some((m) => m.ruleId === rule && m.message.includes(part));
    report(
      hit,
      `lint fixture ${name} is caught by ${rule}`,
      messages.map((m) => `${m.ruleId}: ${m.message}`).join('; '),
    );
  }
}

function* foldersBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || ['node_modules', 'dist', 'target', 'fixtures'].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    yield path;
    yield* foldersBelow(path);
  }
}

/** Folders below `base` that break a rule, by rule. */
function folderFaults(base) {
  const faults = { empty: [], vague: [], deep: [] };
  for (const top of SOURCE_FOLDERS.filter((name) => existsSync(join(base, name)))) {
    for (const folder of foldersBelow(join(base, top))) {
      const path = relative(base, folder);
      if (readdirSync(folder).length === 0) faults.empty.push(path);
      if (/(^|\/)(common|shared|utils|helpers)$/.test(path)) faults.vague.push(path);
      if (path.startsWith('services/') && path.split('/').length > SERVICE_PATH_PARTS_MAX - 1) faults.deep.push(path);
    }
  }
  return faults;
}

function checkFolders() {
  const { empty, vague, deep } = folderFaults(root);
  report(empty.length === 0, 'no folder is empty', empty.join(', '));
  report(vague.length === 0, 'no folder is called common, shared, utils or helpers', vague.join(', '));
  report(deep.length === 0, `a service's paths have at most ${SERVICE_PATH_PARTS_MAX} parts`, deep.join(', '));
}

/** Made on the spot, since git keeps no empty folder. */
function checkFolderRulesCanFail() {
  const base = mkdtempSync(join(tmpdir(), 'assent-folders-'));
  try {
    mkdirSync(join(base, 'services/consent/src/slice/deeper'), { recursive: true });
    mkdirSync(join(base, 'libs/identity/src/utils'), { recursive: true });
    const { empty, vague, deep } = folderFaults(base);
    report(empty.includes('libs/identity/src/utils'), 'an empty folder is caught');
    report(vague.includes('libs/identity/src/utils'), 'a folder called utils is caught');
    report(deep.includes('services/consent/src/slice/deeper'), "a service's path that is too deep is caught");
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** knip on a small project of its own in which one export is used by nobody. */
function checkUnusedCanFail() {
  const run = spawnSync(process.execPath, [join(root, 'node_modules/knip/bin/knip.js'), '--no-progress'], {
    cwd: join(fixtures, 'unused'),
    encoding: 'utf8',
  });
  report(
    run.status === 1 && run.stdout.includes('nobodyUsesThis'),
    'an unused export is caught by knip',
    run.stdout + run.stderr,
  );
}

await checkImports();
await checkImportRulesCanFail();
await checkLintRulesCanFail();
checkFolders();
checkFolderRulesCanFail();
checkUnusedCanFail();
console.log(`boundaries: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
