import { relative } from 'node:path';
import { readOptions, usage, UsageError, type DemoOptions } from './demo/options.js';
import { summaryTable, toJsonLine } from './demo/outcome.js';
import { runDemo, victim, type Demo } from './demo/run-demo.js';
import {
  checkoutDirectory,
  chosenState,
  Interrupted,
  StackError,
  startSession,
  type Session,
} from '@baton/stack';
import { openRepository } from './git/repository.js';

const options = optionsOrExit();
const say = options.json ? console.error : console.log;
const directory = chosenState();
process.exit(await main(startSession(say)));

async function main(session: Session): Promise<number> {
  try {
    const repository = await openRepository(options.repo);
    const working = runDemo({ repository, directory, session, say });
    // While servers start nothing can be aborted; what is up so far is stopped, the rest by their guard.
    const demo = await Promise.race([working, rejectWhen(session.interrupted)]);
    say(`\n${summaryTable(demo.outcome, victim)}\n\n  Report  ${shown(demo.outcome.report)}`);
    if (!options.once) await stayUp(demo, session);
    const isClean = await session.end();
    if (options.once && options.json) console.log(toJsonLine(demo.outcome));
    return isClean ? 0 : 1;
  } catch (error) {
    const message = messageOf(error);
    if (!(error instanceof Interrupted)) say(`\n${message}`);
    await session.end();
    if (options.json) console.log(JSON.stringify({ ok: false, error: message }));
    return error instanceof Interrupted ? 130 : 1;
  }
}

async function stayUp(demo: Demo, session: Session): Promise<void> {
  if (options.json) console.log(toJsonLine(demo.outcome));
  say(whereToLook(demo));
  await rejectWhen(session.interrupted).catch(() => undefined);
}

function whereToLook({ outcome, taskUrl, metricsUrl, keyHeader }: Demo): string {
  const moved = `${taskUrl}/v1/tasks/${outcome.reassigned[0]?.id ?? outcome.rootTaskId}`;
  const curl = 'curl -s -H "$KEY"';
  return `
  Everything still runs. Look at:
    KEY=${keyHeader}
    ${curl} '${taskUrl}/v1/tasks?root=${outcome.rootTaskId}&limit=200'   all tasks of the audit
    ${curl} ${moved}/trace   how the killed agent's task went on
    ${curl} ${moved}/decision   why that agent was chosen
    ${curl} ${taskUrl}/v1/agents   who is online
    ${curl} ${metricsUrl}/v1/metrics/tasks   counts and durations
    ${curl} -N ${metricsUrl}/v1/stream   everything as it happens
  Logs    ${shown(directory)}/logs

  Ctrl-C stops everything.`;
}

function optionsOrExit(): DemoOptions {
  try {
    const surroundings = { checkout: checkoutDirectory, environment: process.env, cwd: process.cwd() };
    const read = readOptions(process.argv.slice(2), surroundings);
    if (read !== 'help') return read;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

function rejectWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** The path as short as the reader can use it. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function messageOf(error: unknown): string {
  if (error instanceof StackError && error.code === 'ALREADY_RUNNING') {
    return `${error.message}\nThe demo starts its own: stop that one, then run the demo again.`;
  }
  return error instanceof Error ? error.message : String(error);
}
