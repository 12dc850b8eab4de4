import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { createGate, useAgents } from './support/agents.js';
import { assignment } from './support/task-service.js';

const { nats, playBaton, makeAgent } = useAgents();

const LIFE_MS = 4_000;
const PATIENCE = { timeoutMs: 40_000 };

describe('credentials that expire', () => {
  it('are asked for again, and the work in hand goes on over the end of the old ones', async () => {
    const gate = createGate();
    const baton = await playBaton('renewing');
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return nats().access.agent('renewing', LIFE_MS);
    };
    const agent = makeAgent('renewing', { handler: () => gate.opened, credentials });
    await agent.start();
    const given = assignment();
    await baton.offer([given]);
    await until(() => baton.of('start').length === 1);
    const begun = performance.now();
    await until(() => asked >= 3 && performance.now() - begun > 1.5 * LIFE_MS, PATIENCE);
    gate.open('done');
    await until(() => baton.of('complete').length === 1, PATIENCE);
    const fence = { taskId: given.task.id, attempt: given.attempt };
    expect(baton.of('start')).toEqual([expect.objectContaining(fence)]);
    expect(baton.of('complete')).toEqual([expect.objectContaining({ ...fence, result: 'done' })]);
    const [first, second] = baton.hellos;
    expect(second).toMatchObject({ instance: first?.instance, running: [fence] });
  });

  it('are read again from their file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'baton-credentials-'));
    try {
      const file = join(folder, 'reading.creds');
      await writeFile(file, await nats().access.agent('reading', LIFE_MS));
      const baton = await playBaton('reading');
      await makeAgent('reading', { credentials: { file: folder } }).start();
      await writeFile(file, await nats().access.agent('reading'));
      await until(() => baton.hellos.length > 1, PATIENCE);
      const beats = baton.heartbeats.length;
      const begun = performance.now();
      await until(
        () => performance.now() - begun > 1.5 * LIFE_MS && baton.heartbeats.length > beats,
        PATIENCE,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
