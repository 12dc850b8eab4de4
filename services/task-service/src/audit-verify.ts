import { explainDatabaseError, isDatabaseAway, readConfig, runMain, StartError } from '@baton/runtime';
import { auditHistory } from './audit/history.service.js';
import { auditSeals } from './audit/seal.service.js';
import { configSchema } from './config.js';
import { createPool } from './database/database.js';

/**
 * `npm run audit:verify`: replays every history in `DATABASE_URL`, follows the seals of the audit log, tells what differs as it is found, one line each
 * (JSON with `--json`), then a summary. Exits with status 1 when anything differs.
 */
runMain(async () => {
  const { DATABASE_URL: url } = readConfig(configSchema.pick({ DATABASE_URL: true }));
  const asJson = process.argv.includes('--json');
  const pool = createPool({ url, size: 1, onError: () => undefined });
  try {
    const report = await auditHistory({
      pool,
      onProblem: (found) => {
        process.stdout.write(
          asJson ? `${JSON.stringify(found)}\n` : `task ${found.taskId}: ${found.problem}\n`,
        );
      },
    });
    const seals = await auditSeals(pool, (found) => {
      process.stdout.write(
        asJson ? `${JSON.stringify(found)}\n` : `entry ${found.entryId} of the audit log: ${found.problem}\n`,
      );
    });
    const { tasks, events } = report;
    const { sealed, head } = seals;
    const problems = report.problems + seals.problems;
    const verdict = problems === 0 ? 'all of it agrees' : `${problems} problems, told above`;
    process.stdout.write(
      asJson
        ? `${JSON.stringify({ tasks, events, sealed, head, problems })}\n`
        : `Replayed ${events} events of ${tasks} tasks, followed ${sealed} seals of the audit log to ${head}: ${verdict}.\n`,
    );
    if (problems > 0) process.exitCode = 1;
  } catch (error) {
    throw isDatabaseAway(error) ? new StartError(explainDatabaseError(error, url), { cause: error }) : error;
  } finally {
    await pool.end();
  }
});
