// Three projects: tests beside the code start nothing and pay for nothing; tests in a test/ folder get a
// Postgres for the run and a nats-server program (see packages/testkit); so do those of faults, each of
// which wants the machine for itself (npm run test:faults).
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@baton/(accounts|contracts|telemetry|bus|runtime|agent|stack|testkit)$':
      '<rootDir>/packages/$1/src/index.ts',
    '^@baton/distribution-service/engine$': '<rootDir>/services/distribution-service/src/engine/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/.baton/'],
};

const withServers = {
  ...shared,
  // The built files: Jest does not transform what it loads before the tests.
  globalSetup: '<rootDir>/packages/testkit/dist/run/global-setup.js',
  globalTeardown: '<rootDir>/packages/testkit/dist/run/global-teardown.js',
};

export default {
  testTimeout: 60_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{packages,services,examples}/*/src/**/*.test.ts',
        '<rootDir>/bench/src/**/*.test.ts',
      ],
    },
    {
      ...withServers,
      displayName: 'integration',
      testMatch: [
        '<rootDir>/{packages,services,examples}/*/test/**/*.test.ts',
        '<rootDir>/{bench/test,tests}/**/*.test.ts',
      ],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/tests/faults/'],
    },
    {
      ...withServers,
      displayName: 'faults',
      testMatch: ['<rootDir>/tests/faults/**/*.test.ts'],
    },
  ],
};
