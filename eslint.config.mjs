import js from '@eslint/js';
import html from 'eslint-plugin-html';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', '.cache/', '.node-red/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./test/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['scripts/**/*.mjs', '*.mjs', '*.cjs', '.*.cjs', 'test/support/*.cjs', 'test/bench/*.cjs'],
    languageOptions: { globals: globals.node },
  },
  {
    // The panels: what runs in the editor is linted as strictly as what runs in the runtime.
    files: ['nodes/**/*.html'],
    plugins: { html },
    languageOptions: {
      sourceType: 'script',
      globals: {
        ...globals.browser,
        ...globals.jquery,
        RED: 'readonly',
        AuthyEditor: 'readonly',
        AuthyAccount: 'readonly',
        AuthyPeople: 'readonly',
      },
    },
    settings: { 'html/javascript-mime-types': ['text/javascript'], 'html/report-bad-indent': 'off' },
  },
  {
    files: ['nodes/authy-editor.html'],
    languageOptions: { globals: { AuthyEditor: 'off', AuthyAccount: 'off' } },
  },
  {
    files: ['nodes/simulator/phone/*.js'],
    languageOptions: { sourceType: 'script', globals: globals.browser },
  },
  {
    files: ['nodes/lib/approver/page/*.js'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['nodes/lib/approver/page/sw.js'],
    languageOptions: { sourceType: 'script', globals: globals.serviceworker },
  },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'prefer-const': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'URL',
          property: 'canParse',
          message: 'Use isUrl: in Node.js 20 this refuses letters such as ü.',
        },
      ],
    },
  },
  {
    // What is secret or signed is compared by `timingSafeEqual`, in one place: `signaturesMatch`.
    files: [
      'nodes/lib/services/authy/callback/*.ts',
      'nodes/lib/services/verify/webhook/*.ts',
      'nodes/lib/node/callback-node.ts',
    ],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          'BinaryExpression[operator=/^[!=]==?$/]:has(> Identifier[name=/signature|digest|hmac|apiKey/i])',
          'BinaryExpression[operator=/^[!=]==?$/]:has(> CallExpression[callee.name=/signature/i])',
          'CallExpression[callee.property.name=/^(equals|compare|localeCompare|includes|startsWith|indexOf)$/]:has(> Identifier[name=/signature|digest|hmac/i])',
          'CallExpression[callee.property.name=/^(equals|compare|localeCompare|includes|startsWith|indexOf)$/][callee.object.name=/signature|digest|hmac/i]',
        ].map((selector) => ({
          selector,
          message: 'Compare signatures by signaturesMatch: its time does not depend on where they differ.',
        })),
      ],
    },
  },
  {
    // The commands and scripts talk to a terminal.
    files: ['scripts/**', 'nodes/**/cli.ts', 'test/bench/**'],
    rules: { 'no-console': 'off' },
  },
);
