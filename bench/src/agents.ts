import { createAgent } from '@baton/agent';
import { sharedClockMs } from './measure/clock.js';
import { agentIds, skill, timedType } from './lifecycle/task.js';

// The program of the benchmark's agents: `agents.js <agents> <slots>`, all in one process, each with a connection
// of its own. They do nothing; for tasks of the open loop they tell when they were allowed to begin.
const [count = 1, slots = 1] = process.argv.slice(2).map(Number);

const agents = agentIds(count).map((id) =>
  createAgent({
    id,
    capabilities: [skill],
    maxConcurrent: slots,
    // Called when the start was accepted.
    handler: (task) => (task.type === timedType ? { startedMs: sharedClockMs() } : undefined),
  }),
);
process.once('SIGTERM', () => void stop());
await Promise.all(agents.map((agent) => agent.start()));

async function stop(): Promise<void> {
  await Promise.all(agents.map((agent) => agent.stop({ deadlineMs: 2_000 })));
  process.exit(0);
}
