import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SERVICE_SUBJECTS } from '@baton/contracts';
import { until } from '@baton/testkit';
import { queuedTask } from './factories.js';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const brief = { heartbeatMs: 200, expireMs: 1_000 };

describe('an agent', () => {
  it('that falls silent is expired in time, and one that beats is not', async () => {
    const { tasks } = fixture;
    tasks.addAgent('alive', brief);
    tasks.addAgent('dies', { ...brief, epoch: 3 });
    tasks.beat('alive');
    const die = tasks.beat('dies', 3);
    await fixture.start();
    // Longer than the grace after the start: whoever is expired from here on was silent.
    await delay(2_000);
    expect(tasks.expired).toEqual([]);
    die();
    const diedAt = performance.now();
    await until(() => tasks.expired.length > 0);
    const tookMs = performance.now() - diedAt;
    expect(tookMs).toBeGreaterThan(800);
    expect(tookMs).toBeLessThan(2_500);
    expect(tasks.expired).toMatchObject([{ agentId: 'dies', epoch: 3 }]);
    await tasks.create([queuedTask()]);
    await until(() => tasks.assigned.length === 1);
    expect(tasks.assigned[0]?.agentId).toBe('alive');
  });

  it('that should be alive and was never heard is expired, even as the only one', async () => {
    const { tasks } = fixture;
    tasks.addAgent('ghost', brief);
    await fixture.start();
    await until(() => tasks.expired.length === 1);
  });

  // The shorter pause leaves the connection standing, the longer one is noticed and ends in a reconnect.
  for (const pauseMs of [2_000, 5_000]) {
    it(`is not expired because the broker stood still for ${pauseMs} ms, and is when it falls silent`, async () => {
      const { tasks, broker } = fixture;
      tasks.addAgent('alive', brief);
      tasks.addAgent('mute', brief);
      tasks.beat('alive');
      const fallSilent = tasks.beat('mute');
      await fixture.start();
      await delay(1_500);
      broker.pause();
      await delay(pauseMs);
      broker.goOn();
      await until(() => tasks.bus.isConnected());
      await delay(2_000);
      expect(tasks.expired).toEqual([]);
      fallSilent();
      await until(() => tasks.expired.length > 0);
      expect(tasks.expired).toMatchObject([{ agentId: 'mute' }]);
    });
  }

  it('of unknown epoch is asked to say hello when a snapshot does not know it either', async () => {
    const { tasks } = fixture;
    await fixture.start();
    // Came online without a hint: the snapshot knows it.
    tasks.addAgent('known', { epoch: 2 });
    tasks.addAgent('replaced', { epoch: 5 });
    tasks.addAgent('expired', { epoch: 7, status: 'offline' });
    const before = tasks.asked.get(SERVICE_SUBJECTS.snapshot) ?? 0;
    tasks.beat('known', 2);
    tasks.beat('replaced', 4);
    tasks.beat('expired', 7);
    await until(() => new Set(tasks.controls.map(({ agentId }) => agentId)).size === 2);
    expect(tasks.controls.every(({ control }) => control.type === 'rehello')).toBe(true);
    expect(new Set(tasks.controls.map(({ agentId }) => agentId))).toEqual(new Set(['replaced', 'expired']));
    expect(tasks.asked.get(SERVICE_SUBJECTS.snapshot)).toBeGreaterThan(before);
    await tasks.create([queuedTask({ criteria: { requiredAgents: ['known'] } })]);
    await until(() => tasks.assigned[0]?.agentId === 'known');
  });
});
