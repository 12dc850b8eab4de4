import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { create, hello } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const put = (name: string, body: Json, headers = {}) =>
  fixture.http('PUT', `/v1/policies/${name}`, body, headers);
const weights = { capability: 0.5, duration: 0.5 };

describe('policies', () => {
  it('are there from the start, and each can be put anew', async () => {
    const { data } = (await fixture.http('GET', '/v1/policies')).body;
    expect(data.map(({ name }: Json) => name)).toEqual([
      'default',
      'fit',
      'least-loaded',
      'round-robin',
      'weighted',
    ]);
    const before = await fixture.http('GET', '/v1/policies/fit');
    expect(before.body).toMatchObject({ kind: 'fit', version: 1, updatedBy: null });
    expect(before.headers.get('etag')).toBe('"v1"');
    const changed = { kind: 'fit', weights: { capability: 0.6, price: 0.4 } };
    const { status, body } = await put('fit', changed);
    expect([status, body.version, body.weights]).toEqual([200, 2, changed.weights]);
    expect((await fixture.http('GET', '/v1/policies/fit')).body).toEqual(body);
  });

  it('are versioned, told to distributors, served with snapshots and audited', async () => {
    const told: Json[] = [];
    const subscription = fixture.connection.subscribe('svc.policy', {
      callback: (_, message) => void told.push(message.json()),
    });
    await fixture.connection.flush();
    const first = await put('quick', { kind: 'weighted', weights });
    expect([first.status, first.headers.get('etag')]).toEqual([201, '"v1"']);
    const second = await put('quick', { kind: 'round-robin' });
    expect([second.status, second.body.version, second.body.weights]).toEqual([200, 2, { turn: 1 }]);
    await until(() => told.length === 2);
    subscription.unsubscribe();
    const entry = { name: 'quick', version: 2, kind: 'round-robin', weights: { turn: 1 } };
    expect(told[1]).toEqual(entry);
    await hello(fixture, 'some-agent');
    const { policies } = await fixture.ask('svc.agent.snapshot', {});
    expect(policies.find(({ name }: Json) => name === 'quick')).toEqual(entry);
    const { rows } = await fixture.db.query(
      `SELECT detail->>'version' AS version FROM audit_log WHERE action = 'policy.put' AND subject = 'quick' ORDER BY id`,
    );
    expect(rows).toEqual([{ version: '1' }, { version: '2' }]);
  });

  it('are changed only from the version their writer read', async () => {
    const { body } = await put('guarded', { kind: 'weighted' });
    const [one, other] = await Promise.all([
      put('guarded', { kind: 'weighted', weights }, { 'if-match': `"v${body.version}"` }),
      put('guarded', { kind: 'least-loaded' }, { 'if-match': `"v${body.version}"` }),
    ]);
    expect(new Set([one.status, other.status])).toEqual(new Set([200, 412]));
    expect((await put('not-there', { kind: 'weighted' }, { 'if-match': '"v1"' })).status).toBe(412);
    expect((await fixture.http('GET', '/v1/policies/not-there')).body.code).toBe('POLICY_NOT_FOUND');
  });

  it('have weights that make a score', async () => {
    const refused: readonly (readonly [Json, string])[] = [
      [{ kind: 'best' }, '/kind'],
      [{ kind: 'round-robin', weights }, '/weights'],
      [{ kind: 'weighted', weights: { capability: 0.7, workload: 0.7 } }, '/weights'],
      [{ kind: 'weighted', weights: { capability: 0 } }, '/weights'],
      [{ kind: 'weighted', weights: { price: 0.3 } }, '/weights/price'],
      [{ kind: 'weighted', weights: { luck: 0.3 } }, '/weights/luck'],
    ];
    for (const [body, pointer] of refused) {
      const answer = await put('bad', body);
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
    }
    expect(
      (await put('good', { kind: 'weighted', weights: { capability: 0.7, workload: 0.3 } })).status,
    ).toBe(201);
  });

  it('are chosen by tasks, or by their type for them, and must be there', async () => {
    await put('named', { kind: 'weighted' });
    const policyOf = async (id: string) =>
      (await fixture.http('GET', `/v1/tasks/${id}`)).body.criteria.policy ?? null;
    const own = await create(fixture, { criteria: { policy: 'named' } });
    expect(await policyOf(own)).toBe('named');
    const unknown = await fixture.http('POST', '/v1/tasks', {
      title: 'a',
      criteria: { policy: 'nobody-put' },
    });
    expect([unknown.status, unknown.body.errors[0].pointer]).toEqual([400, '/criteria/policy']);
    const patched = await fixture.http('PATCH', `/v1/tasks/${own}`, { criteria: { policy: 'nobody-put' } });
    expect(patched.status).toBe(400);
    expect(await policyOf(own)).toBe('named');
    const defaults = { criteria: { policy: 'named' } };
    await fixture.http('PUT', '/v1/types/mapping', { defaults });
    await until(async () => (await policyOf(await create(fixture, { type: 'mapping' }))) === 'named');
    await until(async () => {
      const criteria = { excludedAgents: ['some-agent'] };
      return (await policyOf(await create(fixture, { type: 'mapping', criteria }))) === 'named';
    });
    const other = await create(fixture, { type: 'mapping', criteria: { policy: 'fit' } });
    expect(await policyOf(other)).toBe('fit');
  });
});
