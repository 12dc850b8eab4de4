import { randomUUID } from 'node:crypto';
import { DECISION } from './task.fixture.js';
import type { Fixture, Json } from './fixture.js';

type HelloOptions = {
  readonly instance?: string;
  readonly maxConcurrent?: number;
  readonly capabilities?: readonly Json[];
};

/** An agent's side of the protocol, spoken by hand. */
export async function hello(fixture: Fixture, id: string, options: HelloOptions = {}): Promise<Json> {
  const { instance = randomUUID(), maxConcurrent = 5, capabilities = [] } = options;
  return fixture.ask(`agent.${id}.hello`, {
    instance,
    startedAt: new Date().toISOString(),
    capabilities,
    maxConcurrent,
    running: [],
  });
}

/** The distribution's side: binds a task to an agent and gives the item's answer. */
export async function assign(
  fixture: Fixture,
  taskId: string,
  agentId: string,
  decided: { readonly version?: number } = {},
): Promise<Json> {
  const decision = { ...DECISION, chosen: { ...DECISION.chosen, agentId } };
  const answer = await fixture.ask('svc.task.assign', {
    items: [{ taskId, agentId, shardEpoch: 0, decision, ...decided }],
  });
  return answer.items[0];
}

/** One command about a task; `commandId` is new unless given. */
export function verb(
  fixture: Fixture,
  id: string,
  name: string,
  command: { taskId: string; attempt: number; epoch: number; commandId?: string; [field: string]: unknown },
): Promise<Json> {
  return fixture.ask(`agent.${id}.task.${name}`, { commandId: randomUUID(), ...command });
}

export async function create(fixture: Fixture, body: object = {}): Promise<string> {
  const { status, body: task } = await fixture.http('POST', '/v1/tasks', { title: 'A task', ...body });
  if (status !== 201) throw new Error(`create answered ${status}: ${JSON.stringify(task)}`);
  return task.id;
}

export async function statusOf(fixture: Fixture, taskId: string): Promise<string> {
  return (await fixture.http('GET', `/v1/tasks/${taskId}`)).body.status;
}
