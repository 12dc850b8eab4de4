import { DomainError, runAgent, TaskFailure, type OfferedTask, type TaskContext } from '@baton/agent';
import type { JsonObject, JsonValue } from '@baton/contracts';
import { fleet } from './fleet.js';
import { GitError } from './git/run-git.js';
import { RepositoryError } from './git/repository.js';
import { holdBackFirst } from './hold-back.js';
import type { Step } from './steps/step.js';
import { steps } from './steps/steps.js';

// How long running steps may take after SIGTERM before their tasks are given back.
const deadlineMs = 2_000;

const [id] = process.argv.slice(2);
const agent = fleet.find((one) => one.id === id);
if (agent === undefined) {
  const names = fleet.map((one) => one.id).join(', ');
  console.error(`Expected the id of an agent (${names}), got ${id ?? 'none'}: node dist/agent.js <id>`);
  process.exit(2);
}
const holdBack = holdBackFirst(process.env['AUDIT_HOLD_BACK']);
await runAgent({ ...agent, deadlineMs, handler: work });

async function work(task: OfferedTask, context: TaskContext): Promise<JsonObject> {
  const step: Step | undefined = Object.hasOwn(steps, task.type)
    ? steps[task.type as keyof typeof steps]
    : undefined;
  if (step === undefined) return context.giveBack('declined');
  const result = await doStep(step, task, context);
  await holdBack(task, context);
  return result;
}

async function doStep(step: Step, task: OfferedTask, context: TaskContext): Promise<JsonObject> {
  try {
    return await step(task.input, {
      signal: context.signal,
      metadata: task.metadata,
      results: await resultsOf(context),
      spawn: async (graph) => (await context.spawn(graph)).length,
    });
  } catch (error) {
    throw isFinal(error) ? new TaskFailure('audit_failed', error.message, { retryable: false }) : error;
  }
}

/** The same step on the same commit would fail again. */
function isFinal(error: unknown): error is Error {
  if (error instanceof DomainError) return !error.retryable;
  return error instanceof GitError || error instanceof RepositoryError;
}

async function resultsOf(context: TaskContext): Promise<ReadonlyMap<string, JsonValue | null>> {
  const entries = context.dependencyResults.map(async (dependency) => {
    const { name, taskId, truncated } = dependency;
    const { result } = truncated === true ? await context.get(taskId) : dependency;
    return [name ?? taskId, result] as const;
  });
  return new Map(await Promise.all(entries));
}
