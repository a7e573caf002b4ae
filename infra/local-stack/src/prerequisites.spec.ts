import { checkPrerequisites, missingOf, parseJavacVersion, type Machine } from './prerequisites.ts';

const complete: Machine = {
  nodeVersion: '20.19.0',
  docker: false,
  kafkaNamed: false,
  mongoNamed: false,
  jdk: 17,
  maven: true,
};
const bare: Machine = { ...complete, jdk: undefined, maven: false };

describe('what a machine lacks', () => {
  it('is nothing with Node, a JDK and Maven', () => {
    expect(missingOf(complete)).toEqual([]);
  });

  it('is named all at once, each with the way to get it', () => {
    const missing = missingOf({ ...bare, nodeVersion: '18.20.1' });
    expect(missing.map(({ what }) => what)).toEqual([
      'Node 20.19 or newer (this is 18.20.1)',
      'a JDK 17 or newer',
      'Maven',
    ]);
    expect(missing.every(({ how }) => how.length > 0)).toBe(true);
  });

  it('includes an old JDK by its version', () => {
    expect(missingOf({ ...complete, jdk: 11 })[0]?.what).toBe('a JDK 17 or newer (this is 11)');
  });

  it('is neither JDK nor Maven where Docker answers', () => {
    expect(missingOf({ ...bare, docker: true })).toEqual([]);
  });

  it('is neither JDK nor Maven where the environment names both parts, but is where it names one', () => {
    expect(missingOf({ ...bare, kafkaNamed: true, mongoNamed: true })).toEqual([]);
    expect(missingOf({ ...bare, kafkaNamed: true })).toHaveLength(2);
  });

  it('is found without looking for a JDK when the environment names both parts', () => {
    expect(checkPrerequisites({ KAFKA_BROKERS: 'k:1', MONGODB_URI: 'mongodb://m', PATH: '' })).toEqual([]);
  });
});

describe('the version that javac prints', () => {
  it.each([
    ['javac 17.0.15\n', 17],
    ['javac 1.8.0_402', 8],
    ['javac 25-ea', 25],
    ['sh: not found', undefined],
  ])('%j is %j', (output, version) => {
    expect(parseJavacVersion(output)).toBe(version);
  });
});
