import { DomainError, type Decision } from '@baton/contracts';
import { decideCreate } from '../src/tasks/create.decide.js';
import type { NewTask, Task } from '../src/tasks/task.js';

/** What tests build on; nothing in production imports it. */
export const DECISION: Decision = {
  policy: 'weighted',
  policyVersion: 1,
  chosen: { agentId: 'alpha', total: 0.87, parts: [] },
  runnersUp: [],
  considered: 1,
  filtered: {},
  tookMicros: 10,
};

export function newTaskFixture(overrides: Partial<NewTask> = {}): NewTask {
  return {
    id: '01900000-0000-7000-8000-000000000001',
    title: 'A task',
    description: '',
    type: 'test',
    priority: 3,
    tags: [],
    metadata: {},
    requiredCapabilities: [],
    preferredCapabilities: [],
    criteria: {},
    needsClass: 'class',
    maxRetries: 3,
    retryPolicy: { kind: 'exponential', baseSeconds: 2, capSeconds: 300, jitter: true },
    timeout: null,
    startTimeout: 60,
    queueTimeout: null,
    progressTimeout: null,
    availableAt: null,
    deadline: null,
    estimatedDuration: null,
    detached: false,
    hold: false,
    budget: null,
    input: {},
    context: {},
    dependencies: [],
    ...overrides,
  };
}

/** A task as its create leaves it at `now`. */
export function createdFixture(overrides: Partial<NewTask> = {}, now = 1_000_000): Task {
  const definition = newTaskFixture(overrides);
  const unfinished = {
    status: 'queued',
    createdBy: 'user:test',
    rootTaskId: definition.id,
    lastAgentId: null,
  } as const;
  const dependencies = new Map(definition.dependencies.map(({ taskId: id }) => [id, { id, ...unfinished }]));
  const related = { parent: undefined, parentLiveEpoch: null, siblings: 0, dependencies, waits: new Map() };
  const command = { kind: 'create', tasks: [definition] } as const;
  const created = decideCreate(command, 'user:test', related, null, now);
  if (created instanceof DomainError) throw created;
  const [task] = created.tasks;
  if (task === undefined) throw new Error('a create without a task');
  return task;
}
