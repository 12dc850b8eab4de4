import { chosenState } from '../checkout.js';
import { startServices, type Services } from '../services/start-services.js';
import { startStack, type Stack } from '../start-stack.js';
import { runUntilInterrupted } from '../process/run-until-interrupted.js';
import { knownWords } from './command-line.js';

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

function overview(stack: Stack, services: Services): string {
  const taskUrl = services.get('task-service').httpUrl;
  const metricsUrl = services.get('metrics-service').httpUrl;
  const key = `"authorization: Bearer $(cat ${stack.adminKeyFile ?? 'FILE'})"`;
  return `
Baton is running.

  Tasks     ${taskUrl}
  Metrics   ${metricsUrl}
${stack
  .describe()
  .map((line) => `  ${line}`)
  .join('\n')}

  State     ${stack.directory} (kept between starts; "npm run reset" removes it)
  Logs      ${stack.directory}/logs
  Passwords ${stack.directory}/secrets.json
  API key   ${stack.adminKeyFile ?? 'the one of BATON_ADMIN_KEY'}

Try, in another terminal, an agent and a task for it:
  export NATS_URL=${stack.natsUrl}${credentials(stack)}
  node examples/hello-agent/dist/index.js
  curl -s ${taskUrl}/v1/tasks -H ${key} -H 'content-type: application/json' \\
    -d '{"title":"Say hello","requiredCapabilities":[{"name":"greeting"}],"input":{"name":"world"}}'
  curl -s ${taskUrl}/v1/tasks -H ${key}
  curl -s ${metricsUrl}/v1/metrics/tasks

Ctrl-C stops everything.`;
}

function credentials({ nats }: Stack): string {
  if (nats === undefined) return '';
  return '\n  export BATON_NATS_CREDENTIALS_FILE=$(npm run --silent credentials -- hello)';
}
