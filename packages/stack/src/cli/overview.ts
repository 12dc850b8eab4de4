import { checkoutState } from '../checkout.js';
import type { Services } from '../services/start-services.js';
import { inShell, keyHeader } from '../shell-words.js';
import type { Stack } from '../start-stack.js';

/** What "npm start" prints when all runs: addresses, files, and lines to paste into a shell in the checkout. */
export function overview(stack: Stack, services: Services): string {
  const taskUrl = services.get('task-service').httpUrl;
  const metricsUrl = services.get('metrics-service').httpUrl;
  const key = keyHeader(stack);
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
  export NATS_URL=${stack.natsUrl}${stack.nats ? `\n  ${credentialsLine(stack.directory)}` : ''}
  node examples/hello-agent/dist/index.js
  curl -s ${taskUrl}/v1/tasks -H ${key} -H 'content-type: application/json' \\
    -d '{"title":"Say hello","requiredCapabilities":[{"name":"greeting"}],"input":{"name":"world"}}'
  curl -s ${taskUrl}/v1/tasks -H ${key}
  curl -s ${metricsUrl}/v1/metrics/tasks -H ${key}

Ctrl-C stops everything.`;
}

/** Gives a shell the credentials of the agent `hello`, made with the keys of the stack in this directory. */
export function credentialsLine(directory: string): string {
  const where = directory === checkoutState ? '' : `BATON_DIRECTORY=${inShell(directory)} `;
  return `export BATON_NATS_CREDENTIALS_FILE=$(${where}npm run --silent credentials -- hello)`;
}
