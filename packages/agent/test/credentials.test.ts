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
    for (const verb of ['start', 'complete'] as const) {
      // A command whose answer a renewal cut off comes again, as the same one.
      const [first, ...repeated] = baton.of(verb);
      expect(first).toMatchObject(fence);
      expect(repeated.filter(({ commandId }) => commandId !== first?.commandId)).toEqual([]);
    }
    expect(baton.of('complete')[0]).toMatchObject({ result: 'done' });
    expect(baton.hellos).toContainEqual(expect.objectContaining({ running: [fence] }));
    expect(new Set(baton.hellos.map(({ instance }) => instance)).size).toBe(1);
    expect(baton.of('fail')).toEqual([]);
  });

  it('are not used any more when they come after the agent has left', async () => {
    const gate = createGate<string>();
    const baton = await playBaton('leaving');
    const lines: string[] = [];
    const note = (line: string) => void lines.push(line);
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return asked === 1 ? nats().access.agent('leaving', LIFE_MS) : gate.opened;
    };
    const logger = { debug: note, info: note, warn: note, error: note };
    const agent = makeAgent('leaving', { credentials, logger });
    await agent.start();
    await until(() => asked === 2, PATIENCE);
    await agent.stop();
    expect(baton.goodbyes).not.toEqual([]);
    gate.open(await nats().access.agent('leaving'));
    await new Promise(setImmediate);
    expect(lines).not.toContainEqual(expect.stringContaining('renewed credentials'));
  });

  it('are read again from their folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'baton-credentials-'));
    try {
      const file = join(folder, 'reading.creds');
      await writeFile(file, await nats().access.agent('reading', LIFE_MS));
      const baton = await playBaton('reading');
      await makeAgent('reading', { credentials: { file: folder } }).start();
      await writeFile(file, await nats().access.agent('reading'));
      await until(() => baton.hellos.length > 1, PATIENCE);
      const begun = performance.now();
      await until(() => performance.now() - begun > 1.5 * LIFE_MS, PATIENCE);
      const beats = baton.heartbeats.length;
      await until(() => baton.heartbeats.length > beats, PATIENCE);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
