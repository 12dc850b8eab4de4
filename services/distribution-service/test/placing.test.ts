import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { choiceAnswer, decision, explainAnswer, SERVICE_SUBJECTS } from '@baton/contracts';
import { until } from '@baton/testkit';
import { queuedTask } from './factories.js';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const able = (name: string, level = 1) => ({ capabilities: [{ name, level }] });
const asks = (name: string) => ({ backlogClass: name, requiredCapabilities: [{ name }] });

describe('a task that became ready', () => {
  it('is proposed to the best agent, with the decision', async () => {
    const { tasks } = fixture;
    tasks.addAgent('good', able('write', 0.9));
    tasks.addAgent('better', able('write', 1));
    tasks.addAgent('other', able('read'));
    await fixture.start();
    const task = queuedTask(asks('write'));
    await tasks.create([task]);
    await until(() => tasks.assigned.length === 1);
    expect(tasks.assigned[0]).toMatchObject({ taskId: task.id, agentId: 'better' });
    const stored = decision.parse(tasks.assigned[0]?.decision);
    expect(stored).toMatchObject({
      chosen: { agentId: 'better' },
      runnersUp: [{ agentId: 'good' }],
      considered: 2,
      filtered: { capability: 1 },
    });
    expect(stored.chosen.total).toBeCloseTo(0.4 + 0.3 + 0.12 + 0.05, 12);
  });

  it('goes to an agent that came after it', async () => {
    const { tasks } = fixture;
    await fixture.start();
    await tasks.create([queuedTask(asks('write'))]);
    tasks.addAgent('late', able('write'));
    tasks.tell('late');
    await until(() => tasks.assigned.length === 1);
  });

  it('is found without any event', async () => {
    const { tasks } = fixture;
    tasks.addAgent('a', able('write'));
    await fixture.start();
    tasks.queue(queuedTask(asks('write')));
    await until(() => tasks.assigned.length === 1);
  });
});

describe('a full fleet', () => {
  it('gets nothing until a slot is free, then the best waiting task', async () => {
    const { tasks } = fixture;
    tasks.addAgent('a', { maxConcurrent: 2 });
    await fixture.start();
    const waiting = [3, 1, 2].map((queueKey) => queuedTask({ queueKey: 100 + queueKey }));
    const first = [queuedTask({ queueKey: 1 }), queuedTask({ queueKey: 2 })];
    await tasks.create(first);
    await until(() => tasks.assigned.length === 2);
    await tasks.create(waiting);
    // The next one is proof that those before it were looked at.
    await tasks.create([queuedTask({ ...asks('nobody-can'), queueKey: 0 })]);
    await until(async () => (await pendingEvents()) === 0);
    expect(tasks.assigned).toHaveLength(2);
    for (const [index, queueKey] of [101, 102, 103].entries()) {
      tasks.end(tasks.assigned[index]?.taskId ?? '');
      await until(() => tasks.assigned.length === 3 + index);
      const taskId = tasks.assigned.at(-1)?.taskId;
      expect(waiting.find(({ id }) => id === taskId)?.needs.queueKey).toBe(queueKey);
    }
  });

  async function pendingEvents(): Promise<number> {
    const consumer = await fixture.tasks.bus.jetstream.consumers.get('TASKS', 'distribution');
    const info = await consumer.info();
    return info.num_pending + info.num_ack_pending;
  }
});

describe('a refused proposal', () => {
  it('for a full agent is made again once a snapshot says that there is room', async () => {
    const { tasks } = fixture;
    tasks.addAgent('a');
    tasks.refuse('a', 'AGENT_AT_CAPACITY');
    await fixture.start();
    const snapshots = tasks.asked.get(SERVICE_SUBJECTS.snapshot) ?? 0;
    await tasks.create([queuedTask()]);
    await until(() => tasks.assigned.length === 1);
    expect(tasks.asked.get(SERVICE_SUBJECTS.snapshot)).toBeGreaterThan(snapshots);
    expect(tasks.asked.get(SERVICE_SUBJECTS.assign)).toBe(2);
  });

  it('because another was faster is dropped, and its slot goes to the next task', async () => {
    const { tasks } = fixture;
    tasks.addAgent('a', { maxConcurrent: 1 });
    tasks.refuse('a', 'TASK_STATE_CONFLICT');
    await fixture.start();
    await tasks.create([queuedTask({ queueKey: 1 })]);
    await tasks.create([queuedTask({ queueKey: 2 })]);
    await until(() => tasks.assigned.length === 1);
  });
});

describe('why a task waits', () => {
  it('is answered over NATS from the live fleet', async () => {
    const { tasks } = fixture;
    tasks.addAgent('a', able('read'));
    await fixture.start();
    const body = { task: queuedTask(asks('write')) };
    const answer = await tasks.bus.request(SERVICE_SUBJECTS.explain, body, { timeoutMs: 2_000 });
    expect(explainAnswer.parse(answer)).toMatchObject({
      reason: 'NO_CAPABLE_AGENT',
      evidence: { capabilities: [{ name: 'write', agents: 0, online: 0 }] },
    });
    const bad = await tasks.bus.request(SERVICE_SUBJECTS.explain, {}, { timeoutMs: 2_000 });
    expect(bad).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
  });
});

describe('who would get a task', () => {
  it('is answered over NATS from the live fleet, and nothing is proposed', async () => {
    const { tasks } = fixture;
    tasks.addAgent('a', able('read'));
    tasks.addAgent('b', able('write'));
    await fixture.start();
    for (const subject of [SERVICE_SUBJECTS.choose, SERVICE_SUBJECTS.simulate]) {
      const ask = async (capability: string) => {
        const body = { task: queuedTask(asks(capability)) };
        return choiceAnswer.parse(await tasks.bus.request(subject, body, { timeoutMs: 2_000 }));
      };
      expect(await ask('write')).toMatchObject({
        waiting: null,
        decision: { chosen: { agentId: 'b' }, considered: 1, filtered: { capability: 1 } },
      });
      expect(await ask('count')).toMatchObject({ decision: null, waiting: { reason: 'NO_CAPABLE_AGENT' } });
    }
    expect(tasks.assigned).toHaveLength(0);
  });
});

describe('many tasks', () => {
  it('are all placed once, with every agent kept within its slots', async () => {
    const { tasks } = fixture;
    for (let index = 0; index < 50; index += 1) {
      tasks.addAgent(`agent-${index}`, { ...able(index % 2 === 0 ? 'write' : 'read'), maxConcurrent: 4 });
    }
    await fixture.start();
    const count = 6_000;
    const all = Array.from({ length: count }, (_, index) =>
      queuedTask({ ...asks(index % 3 === 0 ? 'write' : 'read'), queueKey: index }),
    );
    let done = 0;
    const startedAt = performance.now();
    const ending = setInterval(() => {
      for (; done < tasks.assigned.length; done += 1) tasks.end(tasks.assigned[done]?.taskId ?? '');
    }, 2);
    try {
      await tasks.create(all);
      const reached = () => ({ assigned: tasks.assigned.length, expired: tasks.expired.length });
      await until(() => tasks.assigned.length === count, { timeoutMs: 40_000, describe: reached });
    } finally {
      clearInterval(ending);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    if (process.env['BATON_TEST_SHOW_RATES'] !== undefined)
      console.log(`${Math.round(count / seconds)} placements/s`);
    expect(new Set(tasks.assigned.map(({ taskId }) => taskId)).size).toBe(count);
    expect(tasks.overfilled).toEqual([]);
    expect(tasks.expired).toEqual([]);
  });
});
