import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HINT_SUBJECTS, type LearnedOutcome, type PolicyEntry } from '@baton/contracts';
import { until } from '@baton/testkit';
import { queuedTask } from './factories.js';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const asks = { backlogClass: 'write', requiredCapabilities: [{ name: 'write' }] };
const quick: PolicyEntry = { name: 'quick', version: 1, kind: 'weighted', weights: { duration: 1 } };
const taking = (seconds: number): LearnedOutcome[] => [
  {
    type: 'task',
    capability: '',
    succeeded: 40,
    failed: 0,
    durations: { count: 40, sum: 40 * Math.log(seconds), squares: 0 },
  },
];

describe('the policy of a task', () => {
  beforeEach(async () => {
    const { tasks } = fixture;
    const able = (level: number) => [{ name: 'write', level }];
    tasks.addAgent('good', { capabilities: able(1), outcomes: taking(600) });
    tasks.addAgent('quick', { capabilities: able(0.9), outcomes: taking(5) });
    tasks.policies.push(quick);
    await fixture.start();
  });

  it('decides who gets it, and is recorded with its version', async () => {
    const { tasks } = fixture;
    const [plain, hurried] = [queuedTask(asks), queuedTask({ ...asks, criteria: { policy: 'quick' } })];
    await tasks.create([plain, hurried]);
    await until(() => tasks.assigned.length === 2);
    const of = new Map(tasks.assigned.map((one) => [one.taskId, one]));
    expect(of.get(plain.id)).toMatchObject({
      agentId: 'good',
      decision: { policy: 'weighted', policyVersion: 1 },
    });
    expect(of.get(hurried.id)).toMatchObject({
      agentId: 'quick',
      decision: { policy: 'quick', policyVersion: 1 },
    });
  });

  it('is that of the deployment where it names none, from the next decision on', async () => {
    const { tasks } = fixture;
    tasks.bus.publishHint(HINT_SUBJECTS.policy, { ...quick, name: 'default', version: 2 });
    await until(async () => {
      const task = queuedTask(asks);
      await tasks.create([task]);
      await until(() => tasks.assigned.some(({ taskId }) => taskId === task.id));
      const { decision, agentId } = tasks.assigned.find(({ taskId }) => taskId === task.id) ?? {};
      tasks.end(task.id);
      return decision?.policy === 'default' && decision.policyVersion === 2 && agentId === 'quick';
    });
  });

  it('may learn what slots are worth to others from what arrives', async () => {
    const { tasks } = fixture;
    const criteria = { policy: 'fit' };
    // Each has ended before the next one comes, so that load decides nothing.
    for (let count = 0; count < 40; count += 1) {
      const task = queuedTask({ ...asks, criteria });
      await tasks.create([task]);
      await until(() => tasks.assigned.some(({ taskId }) => taskId === task.id));
      tasks.end(task.id);
    }
    const agents = tasks.assigned.map(({ agentId }) => agentId);
    expect(agents[0]).toBe('good');
    expect(agents).toContain('quick');
  });
});
