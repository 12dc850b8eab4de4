import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { agentLogin, startNats, type TestNats } from '@baton/testkit';
import { createAgent, type Agent, type AgentOptions } from '../../src/index.js';
import { playTaskService, type TaskServiceSide } from './task-service.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A nats-server for the test file; agents and other ends of the wire made with it are closed after each test. */
export function useAgents() {
  let nats: TestNats;
  let sides: TaskServiceSide[] = [];
  let agents: Agent[] = [];

  beforeAll(async () => {
    nats = await startNats();
  });
  afterEach(async () => {
    await Promise.all(agents.map((agent) => agent.stop({ mode: 'leave' })));
    await Promise.all(sides.map((side) => side.close()));
    agents = [];
    sides = [];
  });
  afterAll(() => nats.close());

  async function playBaton(
    id = `agent-${randomUUID()}`,
    answers: Partial<TaskServiceSide['answers']> = {},
  ): Promise<TaskServiceSide & { readonly id: string }> {
    const side = await playTaskService(nats, id, answers);
    sides.push(side);
    return Object.assign(side, { id });
  }

  /** An agent that is not started. */
  function makeAgent(id: string, options: Partial<AgentOptions> = {}): Agent {
    const agent = createAgent({
      id,
      ...agentLogin(nats, id),
      handler: () => null,
      logger: silent,
      ...options,
    });
    agents.push(agent);
    return agent;
  }

  /** A started agent and the other end of its wire. */
  async function startAgent(options: Partial<AgentOptions> = {}) {
    const baton = await playBaton();
    const agent = makeAgent(baton.id, options);
    await agent.start();
    return { agent, baton };
  }

  return { nats: () => nats, playBaton, makeAgent, startAgent };
}

/** A handler whose end the test decides. */
export function createGate<T = unknown>() {
  let open!: (value: T) => void;
  let fail!: (error: Error) => void;
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  opened.catch(() => {});
  return { opened, open, fail };
}
