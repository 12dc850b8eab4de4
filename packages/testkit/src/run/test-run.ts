/** What the run's global setup prepares for all test files. */
export interface TestRun {
  /** The run's Postgres, as its superuser. */
  readonly postgresUrl: string;
  /** The nats-server program. */
  readonly natsServer: string;
  /** A throwaway directory for everything the run writes. */
  readonly directory: string;
}

const variable = 'BATON_TEST_RUN';

/** Hands the run's servers on to the processes the tests run in. */
export function publishTestRun(run: TestRun): void {
  process.env[variable] = JSON.stringify(run);
}

/** The run's servers. Throws in a test that does not get them. */
export function testRun(): TestRun {
  const text = process.env[variable];
  if (text !== undefined) return JSON.parse(text) as TestRun;
  throw new Error(
    'This test uses Postgres or NATS, but they were not started: only tests in a test/ folder get them ' +
      '(see jest.config.mjs). Move the test there.',
  );
}
