/**
 * One runner for every tier. Tiers are told apart by suffix: `.spec.ts` (pure, milliseconds), `.int.spec.ts` (one
 * service or adapter on the real local stack) and `.e2e.spec.ts` (stories across services).
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.(ts|js|mjs)$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2022',
          keepClassNames: true,
        },
        sourceMaps: 'inline',
      },
    ],
  },
  // `cookie` and `content-disposition` are ESM-only packages that Fastify's CommonJS code requires.
  // Their own code is in dist/, so only the workspace's dist folders are left out.
  transformIgnorePatterns: ['/node_modules/(?!(cookie|content-disposition)/)', '/(libs|services|tools|infra)/.+/dist/'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.assent/', '<rootDir>/.nx/'],
  testEnvironmentOptions: { customExportConditions: ['@assent/source', 'node', 'node-addons'] },
};

const tier = (displayName, testMatch, extra = {}) => ({ ...shared, displayName, testMatch, ...extra });
const folders = '<rootDir>/{libs,services,tools,infra,examples,e2e}/**/src/**';

export default {
  // Node's own ESM loader under jest leaks a little per file; a bound keeps long runs within memory.
  workerIdleMemoryLimit: '1GB',
  projects: [
    tier('unit', [`${folders}/*.spec.ts`], {
      testPathIgnorePatterns: ['\\.int\\.spec\\.ts$', '\\.e2e\\.spec\\.ts$', '/node_modules/'],
    }),
    tier('int', [`${folders}/*.int.spec.ts`], {
      globalSetup: '<rootDir>/jest.global-setup.ts',
      globalTeardown: '<rootDir>/jest.global-teardown.ts',
    }),
    tier('e2e', [`${folders}/*.e2e.spec.ts`], {}),
  ],
};
