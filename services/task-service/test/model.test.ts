import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { draws } from './model/draws.js';
import { settle, type Model } from './model/model.js';
import { say } from './model/rules.js';
import { newProcess, sayTo } from './model/service.js';
import { expectShown } from './model/state.js';
import { Step, type Counts } from './model/step.js';
import { expectEveryTaskToReplay } from './replay.js';

/**
 * A plain model of the domain and the running service (two replicas, real Postgres and NATS) are told the same random
 * commands by several clients: people over HTTP, four agents over NATS, a distributor. After each they must have
 * answered the same and be in the same state. Replay: BATON_TEST_SEED=<seed> npm test -- model.test
 */
const SEED = Number(process.env['BATON_TEST_SEED'] ?? Date.now() % 1_000_000);
const RUNS = 8;
const STEPS = 150;
const AGENTS = ['a', 'b', 'c', 'd'];
const CONNECTED = ['a>b', 'b>c', 'c>d', 'd>a', 'a>c'];

const commands = draws.map((drawn) => new Step(drawn));

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
  answerOffers();
});
afterAll(() => fixture.close());

/** Agents take every offer, so that no assignment ends by being offered in vain. */
function answerOffers(): void {
  fixture.connection.subscribe('agent.*.offer', {
    callback: (_, message) => {
      const { assignments } = message.json<Json>();
      const accepted = assignments.map(({ task }: Json): string => task.id);
      message.respond(JSON.stringify({ accepted, rejected: [] }));
    },
  });
}

/** Agents of its own for each run, online and connected. */
async function freshModel(run: number): Promise<Model> {
  const name = (agent: string) => `run${run}-${agent}`;
  const agents = AGENTS.map((agent) => ({
    id: name(agent),
    status: 'offline' as const,
    epoch: 0,
    processes: [],
  }));
  const model: Model = { tasks: [], agents, edges: [] };
  for (const { id } of agents) {
    const word = { kind: 'hello', agent: id, process: newProcess() } as const;
    await sayTo(fixture, word);
    say(model, word, []);
  }
  for (const [from = '', to = ''] of CONNECTED.map((edge) => edge.split('>').map(name))) {
    await fixture.http('PUT', `/v1/agents/${from}/connections/${to}`, {});
    model.edges.push(`${from}>${to}`);
  }
  settle(model);
  return model;
}

describe('the service and its model', () => {
  it(`agree after every command (seed ${SEED})`, async () => {
    const counts: Counts = new Map();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: STEPS, maxLength: STEPS }), async (said) => {
        run += 1;
        const model = await freshModel(run);
        await fc.asyncModelRun(() => ({ model, real: { fixture, counts } }), said);
        await expectShown(fixture, model);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    const total = [...counts.values()].reduce((sum, times) => sum + times, 0);
    process.stdout.write(`${total} commands in ${run} runs: ${JSON.stringify(Object.fromEntries(counts))}\n`);
    expect(total).toBeGreaterThanOrEqual(1_000);
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(100);
  }, 300_000);
});
