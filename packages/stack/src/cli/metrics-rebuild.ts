// npm run metrics:rebuild: forgets the figures in the database of BATON_METRICS_DATABASE_URL, else of DATABASE_URL, else in
// the stack's own, which is started for that time unless it runs. The exit status is that of metrics-service's own program.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { checkoutDirectory, chosenState } from '../checkout.js';
import { checkOwnPostgres } from '../postgres/own-postgres.js';
import { withStackDatabase } from '../postgres/stack-database.js';
import { readSecret } from '../settings.js';
import { StackError } from '../stack-error.js';
import { knownWords } from './command-line.js';

const program = join(checkoutDirectory, 'services/metrics-service/dist/rebuild.js');
knownWords('npm run metrics:rebuild');
try {
  const own = readSecret(process.env, 'BATON_METRICS_DATABASE_URL');
  const variable = own === undefined ? 'DATABASE_URL' : 'BATON_METRICS_DATABASE_URL';
  const url = own ?? readSecret(process.env, 'DATABASE_URL');
  if (url === undefined) {
    const report = (line: string) => console.error(line);
    const rebuildOwn = ({ metricsUrl }: { readonly metricsUrl: string }) => rebuild(metricsUrl);
    process.exitCode = await withStackDatabase({ directory: chosenState(), report }, rebuildOwn);
  } else {
    await checkOwnPostgres({ url, variable, purposes: ['metrics'] });
    process.exitCode = await rebuild(url);
  }
} catch (cause) {
  console.error(cause instanceof StackError ? cause.message : cause);
  process.exitCode = 1;
}

async function rebuild(url: string): Promise<number> {
  const { DATABASE_URL_FILE: _file, ...environment } = process.env;
  const child = spawn(process.execPath, [program], {
    env: { ...environment, DATABASE_URL: url },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
