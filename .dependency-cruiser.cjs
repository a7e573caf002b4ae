/**
 * Who may import whom. Every rule has a fixture in tools/boundaries/fixtures that must break it.
 * Paths are relative to the folder that is checked: the repository, or one fixture.
 */
const TEST_FILES = '[.](spec|contract|fixture)[.]ts$|/src/examples[.]fixture[.]ts$';

/** A pure library: what it may import besides its own files. Anything else, Node's modules included, is refused. */
const closedList = (lib, allowed) => ({
  name: `closed-list-of-${lib}`,
  comment: `libs/${lib} is pure; it may import ${allowed.length > 0 ? allowed.join(', ') : 'nothing'} only.`,
  severity: 'error',
  from: { path: `^libs/${lib}/src/`, pathNot: TEST_FILES },
  to: { pathNot: [`^libs/${lib}/`, ...allowed] },
});

module.exports = {
  forbidden: [
    {
      name: 'service-imports-libs-only',
      comment: 'Services talk over Kafka topics and share libs/contracts; they never import each other.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'service-leaves-tools-alone',
      comment: 'A service does not know the tools, the local stack, the examples or the stories.',
      severity: 'error',
      from: { path: '^services/', pathNot: TEST_FILES },
      to: { path: '^(tools|infra|examples|e2e)/' },
    },
    {
      name: 'lib-does-not-know-its-users',
      comment: 'A library never imports a service, a tool or a story.',
      severity: 'error',
      from: { path: '^libs/', pathNot: [TEST_FILES, '^libs/testing/'] },
      to: { path: '^(services|tools|infra|examples|e2e)/' },
    },
    {
      name: 'example-uses-public-surface',
      comment: 'A platform team has the contracts and the wire, nothing else.',
      severity: 'error',
      from: { path: '^examples/', pathNot: TEST_FILES },
      to: { path: '^(services|tools|libs/(?!contracts/))' },
    },
    {
      name: 'test-code-stays-out-of-production',
      comment: 'Test libraries, contract suites and fixtures are imported by tests only.',
      severity: 'error',
      from: {
        path: '^(libs|services|tools|infra|examples)/',
        pathNot: [TEST_FILES, '^libs/testing/', '^tools/boundaries/'],
      },
      to: { path: ['^libs/testing/', 'node_modules/(jest|@jest|fast-check|@nestjs/testing)/', TEST_FILES] },
    },
    {
      name: 'checker-shares-no-code-with-the-product',
      comment: 'A soak checker judges from raw evidence; with the product it shares the published schemas only.',
      severity: 'error',
      from: { path: '^tools/soak/src/checkers/' },
      to: {
        path: '^(libs|services|tools|infra|examples|e2e)/',
        pathNot: ['^tools/soak/src/checkers/', '^libs/contracts/schemas/'],
      },
    },
    closedList('consent-state', ['^libs/contracts/']),
    closedList('merkle-log', ['^libs/contracts/', '^(node:)?crypto$']),
    closedList('send-rules', [
      'node_modules/temporal-(polyfill|spec|utils)/',
      '^temporal-polyfill',
      'node_modules/ajv',
      'node_modules/(date-holidays|libphonenumber-js)/',
      '^(date-holidays|libphonenumber-js)',
      '^libs/contracts/',
    ]),
    closedList('identity', [
      '^(node:)?module$',
      '^libs/contracts/',
      '^(node:)?crypto$',
      'node_modules/libphonenumber-js/',
      '^libphonenumber-js',
    ]),
    closedList('contracts', [
      '^(node:)?(buffer|crypto)$',
      'node_modules/(ajv|ajv-formats|jose)/',
      '^(ajv|ajv-formats|jose)',
    ]),
    {
      name: 'verifier-shares-nothing',
      comment:
        'A verifier that shared code with what it verifies would share its mistakes. It knows the published formats and schemas only.',
      severity: 'error',
      from: { path: '^tools/verifier/src/', pathNot: TEST_FILES },
      to: { path: '^(libs|services|infra|examples|e2e|tools/(?!verifier/))' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that does not resolve breaks on somebody else’s machine.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|fixtures|target)/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@assent/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
