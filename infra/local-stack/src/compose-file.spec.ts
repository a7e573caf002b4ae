import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { KAFKA_IMAGE, MONGO_IMAGE } from './images.ts';
import { repositoryFolder } from './repository.ts';

interface Service {
  image: string;
  user?: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  ports?: string[];
  volumes?: string[];
  read_only?: boolean;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string | number>;
}

interface ComposeFile {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const text = readFileSync(join(repositoryFolder, 'docker-compose.yml'), 'utf8');
const file = parse(text, { merge: true }) as ComposeFile;
const services = Object.entries(file.services);
const platform = { consent: 4001, suppression: 4002, dispatch: 4003, audit: 4004 };

/** The compose specification's own schema, as the package dclint carries it. */
function composeSchema(): object {
  const folder = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
  return JSON.parse(readFileSync(join(folder, 'schemas', 'compose.schema.json'), 'utf8')) as object;
}

describe('docker-compose.yml', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const { $schema, ...schema } = composeSchema() as { $schema?: string };
  const validate = ajv.compile(schema);

  it('is valid by the schema of the compose specification', () => {
    expect($schema).toContain('json-schema.org');
    validate(file);
    expect(validate.errors).toBeNull();
  });

  it('would not be with a key that the specification does not know', () => {
    const misspelt = { ...file, services: { kafka: { ...file.services['kafka'], helthcheck: {} } } };
    expect(validate(misspelt)).toBe(false);
  });

  it('holds the parts of the platform and nothing else', () => {
    const parts = ['kafka', 'mongo', 'topics', ...Object.keys(platform), 'simulator'];
    expect(Object.keys(file.services).sort()).toEqual(parts.sort());
  });

  it('declares every named volume that is used, and no other', () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const named = used.filter((name) => !name.startsWith('.'));
    expect(Object.keys(file.volumes).sort()).toEqual(named.sort());
    for (const path of used.filter((name) => name.startsWith('.'))) {
      expect(existsSync(join(repositoryFolder, path))).toBe(true);
    }
  });

  it('runs the same images as the tests', () => {
    expect(file.services['kafka']?.image).toBe(KAFKA_IMAGE);
    expect(file.services['mongo']?.image).toBe(MONGO_IMAGE);
  });

  it('waits with conditions only, on parts that exist', () => {
    for (const [on, { condition }] of services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on))) {
      const awaited = file.services[on];
      expect(condition).toBe(
        awaited?.healthcheck?.disable === true ? 'service_completed_successfully' : 'service_healthy',
      );
    }
  });
});

describe.each(services)('the container %s', (name, service) => {
  it('has its image pinned to a version', () => {
    expect(service.image).toMatch(/^[a-z0-9/._-]+:(?!latest)[a-z0-9._-]+$/);
  });

  it('does not run as root', () => {
    expect(service.user).toMatch(/^[a-z]+$/);
    expect(service.user).not.toBe('root');
  });

  it('publishes on the loopback interface only', () => {
    for (const port of service.ports ?? []) {
      expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  it('has a health check unless it is meant to end', () => {
    expect(name === 'topics' ? service.healthcheck?.disable : service.healthcheck?.test?.[0]).toBe(
      name === 'topics' ? true : 'CMD',
    );
  });

  it('runs a file that the build makes', () => {
    const script = service.command?.[1] ?? '';
    if (service.build !== undefined) {
      expect(script).toMatch(/^(services|tools)\/[a-z-]+\/dist\/main\.js$/);
      expect(existsSync(join(repositoryFolder, script.replace('/dist/main.js', '/src/main.ts')))).toBe(true);
    }
  });

  it('writes to volumes only, where its image allows that', () => {
    expect(service.read_only ?? false).toBe(name !== 'kafka');
  });
});

describe.each(Object.entries(platform))('the service %s', (name, port) => {
  const service = file.services[name]!;

  it('listens on its port of the design and is asked whether it is ready', () => {
    expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(service.environment?.['PORT']).toBe(port);
    expect(service.healthcheck?.test?.at(-1)).toContain('/readyz');
  });

  it('is given only variables that its configuration reads', () => {
    const sources = ['libs/service-runtime/src/runtime-config.ts', `services/${name}/src/config.ts`];
    const fields = sources.map((source) => readFileSync(join(repositoryFolder, source), 'utf8')).join('\n');
    const read = [...fields.matchAll(/^ +(?:override )?([A-Z_]+)!:/gm)].map((match) => match[1]);
    expect(read).toEqual(expect.arrayContaining(Object.keys(service.environment ?? {})));
  });

  it('starts after the topics are there', () => {
    expect(service.depends_on).toHaveProperty('topics.condition', 'service_completed_successfully');
  });
});
