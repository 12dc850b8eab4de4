// The program of an agent host: `agent-host.mjs <settings as JSON>`, see `agents.ts`. Everything its handlers do is
// appended to the report file at once, so that it can be read after the process was killed.
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createAgent, TaskFailure } from '@baton/agent';

const { servers, reportFile, agents: hosted, workMs, seed } = JSON.parse(process.argv[2]);
const [shortestMs, longestMs] = workMs;
let state = seed;

const agents = hosted.map((agent) =>
  createAgent({ ...agent, servers, handler: (task, context) => work(agent.id, task, context) }),
);
process.once('SIGTERM', () => void stop());
await Promise.all(agents.map((agent) => agent.start()));
report({ kind: 'ready' });

/** Takes its time, which the task may set (`workMs`), and fails the attempts the task says (`failures`: so many). */
async function work(agentId, { id: taskId, input }, { attempt, signal }) {
  const run = { agentId, taskId, attempt };
  report({ kind: 'start', ...run });
  try {
    await delay(input.workMs ?? shortestMs + random() * (longestMs - shortestMs), undefined, { signal });
  } catch {
    report({ kind: 'end', ...run, outcome: 'aborted' });
    return undefined;
  }
  if (attempt <= (input.failures ?? 0)) {
    report({ kind: 'end', ...run, outcome: 'failed' });
    throw new TaskFailure('asked_to', `attempt ${attempt} was to fail`);
  }
  report({ kind: 'end', ...run, outcome: 'completed' });
  return { agentId, attempt };
}

function report(line) {
  appendFileSync(reportFile, `${JSON.stringify({ ...line, at: Date.now() })}\n`);
}

/** Mulberry32: 0 to 1, the same for the same seed. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

async function stop() {
  await Promise.all(agents.map((agent) => agent.stop({ deadlineMs: 2_000 })));
  process.exit(0);
}
