import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { leaseAnswer, shardOf, SHARDS, type LeaseAnswer, type LeaseRequest } from '@baton/contracts';
import { until } from '@baton/testkit';
import { create, hello } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { DECISION } from './task.fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
}, 30_000);
beforeEach(() => fixture.db.query('DELETE FROM distributors'));
afterAll(() => fixture.close());

async function call(instance: string, rest: Partial<LeaseRequest> = {}): Promise<LeaseAnswer> {
  return leaseAnswer.parse(await fixture.ask('svc.shard.lease', { instance, ...rest }));
}

/** Calls, and gives back what it is told to. */
async function renew(instance: string): Promise<LeaseAnswer> {
  const answer = await call(instance);
  return answer.release.length === 0 ? answer : call(instance, { release: answer.release });
}

const ownedBy = (answer: LeaseAnswer, instance: string) =>
  answer.shards.filter(({ owner }) => owner === instance).map(({ shard }) => shard);
const epochsOf = (answer: LeaseAnswer, instance: string) =>
  new Map(answer.shards.filter(({ owner }) => owner === instance).map(({ shard, epoch }) => [shard, epoch]));

describe('distributors', () => {
  it('share the shards fairly, also when another one joins', async () => {
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    expect(ownedBy(await renew(a), a)).toHaveLength(SHARDS);
    expect(ownedBy(await renew(b), b)).toEqual([]);
    expect(ownedBy(await renew(a), a)).toHaveLength(32);
    expect(ownedBy(await renew(b), b)).toHaveLength(32);
    for (const instance of [c, a, b, c]) await renew(instance);
    const { shards } = await call(c);
    const counts = [a, b, c].map((instance) => shards.filter(({ owner }) => owner === instance).length);
    expect(counts.toSorted((one, other) => one - other)).toEqual([21, 21, 22]);
  });

  it('that stop renewing lose their shards after three seconds of the database, not before', async () => {
    const [dies, lives] = [randomUUID(), randomUUID()];
    for (const instance of [dies, lives, dies, lives]) await renew(instance);
    const before = epochsOf(await call(lives), dies);
    expect(before.size).toBe(32);
    const diesAt = performance.now();
    await call(dies);
    await until(async () => ownedBy(await call(lives), lives).length === SHARDS, { timeoutMs: 5_000 });
    expect(performance.now() - diesAt).toBeGreaterThan(2_990);
    const all = await call(lives);
    for (const [shard, epoch] of before) expect(epochsOf(all, lives).get(shard)).toBe(epoch + 1);
  });

  it('that died lose their shards as soon when the clock of the database is set back', async () => {
    const [dies, lives] = [randomUUID(), randomUUID()];
    for (const instance of [dies, lives, dies, lives]) await renew(instance);
    await fixture.db.query(`UPDATE distributors SET until = until + interval '1 hour'`);
    await until(async () => ownedBy(await call(lives), lives).length === SHARDS, { timeoutMs: 5_000 });
  });

  it('that come back before anybody took their shards have the same leases', async () => {
    const instance = randomUUID();
    const before = epochsOf(await call(instance), instance);
    await fixture.db.query(`UPDATE distributors SET until = clock_timestamp() - interval '1 hour'`);
    expect(epochsOf(await call(instance), instance)).toEqual(before);
  });

  it('that leave give everything back at once', async () => {
    const [leaves, stays] = [randomUUID(), randomUUID()];
    await call(leaves);
    expect(ownedBy(await call(leaves, { leaving: true }), leaves)).toEqual([]);
    expect(ownedBy(await call(stays), stays)).toHaveLength(SHARDS);
  });

  it('never believe in the same shard at the same time, whatever they do and however often', async () => {
    type Belief = { readonly instance: string; readonly endsAt: number };
    const beliefs = new Map<number, Belief>();
    const clashes: string[] = [];
    let calls = 0;
    const stopsAt = performance.now() + 6_000;

    async function live(seed: number): Promise<void> {
      let [instance, release] = [randomUUID(), [] as LeaseAnswer['release']];
      for (let turn = seed; performance.now() < stopsAt; turn += 1) {
        const leaving = turn % 11 === 0;
        for (const [shard, belief] of beliefs) {
          if (belief.instance === instance && (leaving || release.some((one) => one.shard === shard)))
            beliefs.delete(shard);
        }
        const sentAt = performance.now();
        const answer = await call(instance, { release: [...release], leaving });
        calls += 1;
        release = answer.release;
        for (const shard of ownedBy(answer, instance)) believe(shard, instance, sentAt + answer.leaseMs);
        await delay((turn * 7) % 30);
        // Gone without a word: what it believed in stays believed in until its time is up.
        if (turn % 17 === 0) [instance, release] = [randomUUID(), []];
      }
    }
    function believe(shard: number, instance: string, endsAt: number): void {
      const known = beliefs.get(shard);
      if (known !== undefined && known.instance !== instance && known.endsAt > performance.now()) {
        clashes.push(`shard ${shard}: ${known.instance} and ${instance}`);
      }
      beliefs.set(shard, { instance, endsAt });
    }

    await Promise.all(Array.from({ length: 8 }, (_, index) => live(index * 5 + 1)));
    expect(calls).toBeGreaterThan(100);
    expect(clashes).toEqual([]);
    const { rows } = await fixture.db.query('SELECT max(epoch) AS epoch FROM shard_leases');
    expect(rows[0].epoch).toBeGreaterThan(3);
  });
});

describe('a proposal', () => {
  it('by an outdated lease is refused on its own, and one by the latest is not', async () => {
    await hello(fixture, 'moved');
    const [taskId, other] = [await create(fixture), await create(fixture)];
    const [before, after] = [randomUUID(), randomUUID()];
    const shard = shardOf('moved');
    const epochAt = async (instance: string) => epochsOf(await call(instance), instance).get(shard) ?? -1;
    const outdated = await epochAt(before);
    await call(before, { leaving: true });
    const latest = await epochAt(after);
    expect(latest).toBe(outdated + 1);
    const decision = { ...DECISION, chosen: { ...DECISION.chosen, agentId: 'moved' } };
    const propose = async (shardEpoch: number, id: string): Promise<Json> => {
      const items = [
        { taskId: id, agentId: 'moved', shardEpoch, decision },
        { taskId: randomUUID(), agentId: 'moved', shardEpoch: latest, decision },
      ];
      return (await fixture.ask('svc.task.assign', { items })).items;
    };
    // Each replica may know the epochs of a moment ago.
    const stranger = { ok: false, error: { code: 'TASK_NOT_FOUND' } };
    await delay(300);
    expect(await propose(outdated, taskId)).toMatchObject([
      { ok: false, error: { code: 'STALE_SHARD', retryable: true } },
      stranger,
    ]);
    expect(await propose(latest, other)).toMatchObject([{ ok: true, taskId: other }, stranger]);
  });
});
