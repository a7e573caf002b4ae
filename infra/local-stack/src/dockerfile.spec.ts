import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from './repository.ts';

const text = readFileSync(join(repositoryFolder, 'infra', 'docker', 'Dockerfile'), 'utf8');
const instructions = text
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ name: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }));
const named = (name: string): string[] => instructions.filter((one) => one.name === name).map(({ rest }) => rest);
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));

describe('the Dockerfile', () => {
  it('knows these instructions only', () => {
    const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'HEALTHCHECK', 'CMD'];
    expect(instructions.filter(({ name }) => !known.includes(name))).toEqual([]);
  });

  it('builds on the Node of .nvmrc, pinned by tag, in both stages', () => {
    const node = readFileSync(join(repositoryFolder, '.nvmrc'), 'utf8').trim();
    expect(named('FROM')).toHaveLength(2);
    for (const base of named('FROM')) {
      expect(base).toMatch(new RegExp(`^node:${node}-[a-z]+-slim( AS build)?$`));
    }
  });

  it('ends as a user that is not root, with a health check and a command', () => {
    expect(lastStage.map(({ name }) => name).slice(-3)).toEqual(['USER', 'HEALTHCHECK', 'CMD']);
    expect(named('USER')).toEqual(['node']);
    expect(named('HEALTHCHECK')[0]).toContain('/readyz');
  });

  it('installs exactly what the lock file says, and leaves development dependencies behind', () => {
    expect(named('RUN')[0]).toBe('npm ci');
    expect(named('RUN').join('\n')).toContain('npm prune --omit=dev');
  });

  it('copies into the image only what exists in the repository or is made by the build', () => {
    const sources = lastStage
      .filter(({ name }) => name === 'COPY')
      .map(({ rest }) => /^--from=build \/assent\/(\S+) /.exec(rest)?.[1]);
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      expect(source === 'node_modules' || existsSync(join(repositoryFolder, source ?? 'absent'))).toBe(true);
    }
  });

  it('names the four entry points', () => {
    for (const service of ['consent', 'suppression', 'dispatch', 'audit']) {
      expect(text).toContain(`node services/${service}/dist/main.js`);
    }
  });
});

describe('the build context', () => {
  it('leaves out what is made, fetched or private', () => {
    const ignored = readFileSync(join(repositoryFolder, '.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.git', '.assent', '**/node_modules', '**/dist']));
  });
});
