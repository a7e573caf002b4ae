import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** The only files that may read the clock, randomness or the environment; everything else takes them as arguments. */
const edgeFiles = [
  '**/main.ts',
  '**/config.ts',
  'libs/service-runtime/src/**/*.ts',
  'libs/testing/src/**/*.ts',
  'infra/local-stack/src/**/*.ts',
  'tools/**/src/**/*.ts',
  'examples/src/**/*.ts',
  'e2e/src/**/*.ts',
  '**/*.spec.ts',
  'jest.*.ts',
];

const edgeOnly = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take a Clock as an argument.' },
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'Take a Clock as an argument.' },
  {
    selector: "MemberExpression[object.name='performance'][property.name='now']",
    message: 'Take a Clock as an argument.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Take randomness as an argument.',
  },
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Read the environment in config.ts or main.ts only.',
  },
];

const noJestMock = {
  selector: "CallExpression[callee.object.name='jest'][callee.property.name='mock']",
  message: 'jest.mock is silently ignored in ESM mode; pass a strict fake instead.',
};

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      '.assent/',
      '.nx/',
      'libs/contracts/src/generated/',
      '**/fixtures/',
      '**/target/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '*.mjs', '*.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-restricted-syntax': ['error', noJestMock, ...edgeOnly],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowStaticOnly: true }],
      // Both misfire on Nest's option objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['libs/*/src/**/*.ts', 'services/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.contract.ts', '**/*.fixture.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }] },
  },
  { files: edgeFiles, rules: { 'no-restricted-syntax': ['error', noJestMock] } },
  {
    files: ['tools/**/*.ts', 'infra/**/*.ts', 'examples/**/*.ts', '**/scripts/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/*.contract.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: { module: 'writable', process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-console': 'off', 'no-restricted-syntax': 'off' },
  },
);
