// npm test: all tests but those of faults, which npm run test:faults runs. Arguments go to Jest:
// npm test -- packages/contracts -t 'limit'. The last line on standard output is "N passed, N failed".
import { runTests, summary } from './run-tests.mjs';

const [suite, ...args] = process.argv.slice(2);
const run = await runTests(suite, args);
process.stdout.write(`${summary([run])}\n`);
process.exitCode = run.code;
