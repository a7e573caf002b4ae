/**
 * Writes assent-verify.mjs to dist, or to the folder that is named: the verifier as one file that plain Node runs, without this repository and without
 * packages. Every module of src becomes a function in it; the event schemas are compiled, so that no code is made at run
 * time. A bundler would do the same with some hundred packages more to trust.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifySync, transformSync } from '@swc/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import ajvFormats from 'ajv-formats';

const project = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(project, '../..');
const schemasFolder = join(root, 'libs/contracts/schemas');
/** What the file offers to a program that imports it; run by itself it is a command. */
const EXPORTS = ['processIo', 'runVerify', 'verifyFolder'];
const ENTRY = join(project, 'src/index.ts');
/** Replaced by the compiled schemas. */
const SCHEMAS_MODULE = join(project, 'src/records/event-schemas.ts');
const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/** Text of a CommonJS module for a file of this project. */
function compiled(path) {
  if (path === SCHEMAS_MODULE) return schemasModule();
  if (!path.endsWith('.ts')) return readFileSync(path, 'utf8');
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    swcrc: false,
    configFile: false,
    filename: path,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022', keepClassNames: true },
    module: { type: 'commonjs' },
  });
  return code;
}

/** The module that event-schemas.ts is in the repository, with every schema compiled to a function. */
function schemasModule() {
  const ajv = new Ajv2020({ strict: true, ownProperties: true, code: { source: true, optimize: 2 } });
  ajvFormats.default(ajv, ['date-time', 'date']);
  ajv.addVocabulary(['x-topic', 'x-key']);
  const names = [];
  const types = {};
  const ids = {};
  for (const file of readdirSync(schemasFolder)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    const schema = JSON.parse(readFileSync(join(schemasFolder, file), 'utf8'));
    const name = file.slice(0, -'.json'.length);
    ajv.addSchema(schema);
    if (schema['x-topic'] !== undefined) types[name] = { topic: schema['x-topic'], keys: schema['x-key'] ?? [] };
    if (schema['x-topic'] === undefined && name !== 'cloud-event') continue;
    ids[`schema${names.length}`] = schema.$id;
    names.push(name);
  }
  const validators = minifySync(standaloneCode.default(ajv, ids), { compress: false, mangle: true }).code;
  return `${validators}
const validators = { ...exports };
const NAMES = ${JSON.stringify(names)};
exports.EVENT_SCHEMAS = {
  types: ${JSON.stringify(types)},
  violation(name, value) {
    const validate = validators['schema' + NAMES.indexOf(name)];
    if (validate(value)) return undefined;
    const last = validate.errors?.at(-1);
    return { pointer: last?.instancePath ?? '', keyword: last?.keyword ?? '' };
  },
};
`;
}

/** Every module that is needed, by path from the root, with the modules that it asks for. */
function collect() {
  const modules = new Map();
  const licences = new Set();
  const add = (path) => {
    const id = relative(root, path);
    if (modules.has(id)) return id;
    const code = compiled(path);
    const module = { code, requires: {} };
    modules.set(id, module);
    const [, package_] = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
    if (package_ !== undefined) licences.add(package_);
    const require = createRequire(path);
    for (const [, name] of code.matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
      if (builtins.has(name)) continue;
      module.requires[name] = add(name.startsWith('.') ? join(dirname(path), name) : require.resolve(name));
    }
    return id;
  };
  const entry = add(ENTRY);
  return { modules, entry, licences };
}

function licenceOf(name) {
  const text = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim();
  return `Contains parts of ${name}:\n\n${text}`;
}

function bundle() {
  const { modules, entry, licences } = collect();
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const notice = [
    `Assent audit log verifier ${version}. Apache-2.0. Run it with Node 20.19 or newer:`,
    '',
    '    node assent-verify.mjs <folder | URL | proof file> [options]',
    '',
    ...[...licences].sort().map(licenceOf),
  ].join('\n');
  const body = [...modules].map(
    ([id, { code, requires }]) =>
      `modules[${JSON.stringify(id)}] = [${JSON.stringify(requires)}, function (module, exports, require) {\n${code}\n}];`,
  );
  return `#!/usr/bin/env node
/*
${notice.replaceAll('*/', '* /')}
*/
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const builtin = createRequire(import.meta.url);
const modules = {};
const loaded = {};
function load(id) {
  if (loaded[id] !== undefined) return loaded[id].exports;
  const module = (loaded[id] = { exports: {} });
  const [requires, run] = modules[id];
  run(module, module.exports, (name) => (requires[name] === undefined ? builtin(name) : load(requires[name])));
  return module.exports;
}

${body.join('\n')}

export const { ${EXPORTS.join(', ')} } = load(${JSON.stringify(entry)});

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await runVerify(process.argv.slice(2), processIo());
}
`;
}

const dist = process.argv[2] ?? join(project, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const file = join(dist, 'assent-verify.mjs');
writeFileSync(file, bundle());
chmodSync(file, 0o755);
const offered = await import(file);
for (const name of EXPORTS) if (typeof offered[name] !== 'function') throw new Error(`the file does not offer ${name}`);
