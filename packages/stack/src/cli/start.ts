import { chosenState } from '../checkout.js';
import { startServices } from '../services/start-services.js';
import { startStack } from '../start-stack.js';
import { runUntilInterrupted } from '../process/run-until-interrupted.js';
import { knownWords } from './command-line.js';
import { overview } from './overview.js';

knownWords('npm start');

await runUntilInterrupted(async (onStop) => {
  console.error('Starting Baton');
  const stack = await startStack({ directory: chosenState(), report });
  onStop(() => stack.stop());
  const services = await startServices({ stack, report });
  onStop(() => services.stop());
  console.log(overview(stack, services));
});

function report(line: string): void {
  console.error(`  ${line}`);
}
