import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { startFixture, type Fixture, type HttpAnswer, type Json } from './fixture.js';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
}, 60_000);
afterAll(() => fixture.close());

type Key = { readonly id: string; readonly name: string; readonly key: string };

let made = 0;
async function makeKey(said: object): Promise<Key> {
  made += 1;
  const { status, body } = await fixture.http('POST', '/v1/keys', { name: `key-${made}`, ...said });
  expect(status).toBe(201);
  return body;
}

/** As the bearer of a key, or with any other header. */
function as(key: string, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  return fixture.http(method, path, body, { authorization: key.includes(' ') ? key : `Bearer ${key}` });
}

const auditOf = async (action: string, subject: string): Promise<readonly Json[]> =>
  (
    await fixture.db.query('SELECT actor, code FROM audit_log WHERE action = $1 AND subject = $2', [
      action,
      subject,
    ])
  ).rows;

describe('API keys', () => {
  it('are shown once, kept as a hash, and name who changed something', async () => {
    const { key, id, name } = await makeKey({ role: 'operator' });
    expect(key).toMatch(/^baton_[A-Za-z0-9]{43}$/);
    const created = await as(key, 'POST', '/v1/tasks', { title: 'Mine' });
    expect(created.body.createdBy).toBe(`user:${name}`);
    const history = await as(key, 'GET', `/v1/tasks/${created.body.id}/history`);
    expect(history.body.data[0].actor).toBe(`user:${name}`);

    const { rows } = await fixture.db.query('SELECT * FROM api_keys WHERE id = $1', [id]);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(rows[0].hash).toHaveLength(32);
    const listed = await fixture.http('GET', '/v1/keys?limit=200');
    expect(JSON.stringify(listed.body)).not.toContain(key);
    expect(listed.body.data).toContainEqual(
      expect.objectContaining({ id, role: 'operator', createdBy: 'user:local', revokedAt: null }),
    );
    expect(await auditOf('key.create', name)).toEqual([{ actor: 'user:local', code: null }]);
    // Written a few seconds later, for all keys that were used meanwhile.
    await until(
      async () => {
        const { body } = await fixture.http('GET', '/v1/keys?limit=200');
        return body.data.some((one: Json) => one.id === id && one.lastUsedAt !== null);
      },
      { timeoutMs: 30_000 },
    );
  }, 60_000);

  it('cannot take a name twice, nor that of the first key', async () => {
    const { name } = await makeKey({ role: 'viewer' });
    const again = await fixture.http('POST', '/v1/keys', { name, role: 'viewer' });
    expect([again.status, again.body.code]).toEqual([409, 'KEY_EXISTS']);
    expect((await fixture.http('POST', '/v1/keys', { name: 'local', role: 'viewer' })).status).toBe(400);
    const unbound = await fixture.http('POST', '/v1/keys', { name: 'unbound', role: 'agent' });
    expect(unbound.body.errors[0].pointer).toBe('/agentId');
  });

  it('are taken no more once revoked, within 5 seconds by every replica, nor when expired', async () => {
    const { key, id, name } = await makeKey({ role: 'viewer' });
    // Every replica knows it.
    for (let turn = 0; turn < 2; turn += 1) expect((await as(key, 'GET', '/v1/pause')).status).toBe(200);
    expect((await fixture.http('DELETE', `/v1/keys/${id}`)).status).toBe(204);
    const refusedByBoth = async () => {
      const answers = [await as(key, 'GET', '/v1/pause'), await as(key, 'GET', '/v1/pause')];
      return answers.every(({ status }) => status === 401);
    };
    await until(refusedByBoth, { timeoutMs: 30_000 });
    expect(await auditOf('key.revoke', name)).toHaveLength(1);
    const missing = '00000000-0000-7000-8000-000000000000';
    expect((await fixture.http('DELETE', `/v1/keys/${missing}`)).body.code).toBe('KEY_NOT_FOUND');

    const expired = await makeKey({ role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' });
    expect((await as(expired.key, 'GET', '/v1/pause')).status).toBe(401);
  }, 60_000);

  it.each([
    ['no key', ''],
    ['nothing behind Bearer', 'Bearer '],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['a key nobody made', `Bearer baton_${'x'.repeat(43)}`],
    ['a key that is too long', `Bearer baton_${'4'.repeat(44)}`],
    ['the first key and more', `Bearer baton_${'4'.repeat(43)} or so`],
    ['SQL', "Bearer ' OR 1=1--"],
    ['100 dots', `Bearer ${'.'.repeat(100)}`],
  ])('refuse %s, and say how to show one', async (_, authorization) => {
    const before = await fixture.db.query('SELECT count(*) FROM tasks');
    const { status, body, headers } = await as(authorization || ' ', 'POST', '/v1/tasks', { title: 'No' });
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="baton"/);
    expect((await fixture.db.query('SELECT count(*) FROM tasks')).rows).toEqual(before.rows);
  });

  it('let viewers read and nothing else, operators all but keys; what was refused is in the audit', async () => {
    const viewer = await makeKey({ role: 'viewer' });
    const operator = await makeKey({ role: 'operator' });
    expect((await as(viewer.key, 'GET', '/v1/tasks')).status).toBe(200);
    const refused = await as(viewer.key, 'POST', '/v1/tasks', { title: 'No' });
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    expect((await as(operator.key, 'POST', '/v1/tasks', { title: 'Yes' })).status).toBe(201);
    for (const { key } of [viewer, operator]) {
      expect((await as(key, 'GET', '/v1/keys')).status).toBe(403);
      expect((await as(key, 'POST', '/v1/keys', { name: 'mine', role: 'admin' })).status).toBe(403);
    }
    const refusals = await until(async () => {
      const found = await auditOf('access.refused', 'POST /v1/keys');
      return found.length === 2 && found;
    });
    expect(refusals).toContainEqual({ actor: `user:${operator.name}`, code: 'FORBIDDEN' });
  });

  it('say nothing of idempotency keys to each other', async () => {
    const [one, other] = [await makeKey({ role: 'operator' }), await makeKey({ role: 'operator' })];
    const create = ({ key }: Key) =>
      fixture.http(
        'POST',
        '/v1/tasks',
        { title: 'Same key' },
        {
          authorization: `Bearer ${key}`,
          'idempotency-key': 'shared',
        },
      );
    const [first, again, foreign] = [await create(one), await create(one), await create(other)];
    expect(again.body.id).toBe(first.body.id);
    expect(foreign.body.id).not.toBe(first.body.id);
  });

  it('cannot be forged by a header of another name, by the query, or by HEAD', async () => {
    const url = `${fixture.replicas[0]?.httpUrl}/v1/tasks`;
    const spoofed = await fetch(url, { headers: { 'x-forwarded-user': 'local', 'x-actor': 'user:local' } });
    expect(spoofed.status).toBe(401);
    expect((await fetch(`${url}?authorization=Bearer%20baton_${'4'.repeat(43)}`)).status).toBe(401);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(401);
    expect((await fetch(`${fixture.replicas[0]?.httpUrl}//v1/tasks`)).status).not.toBe(200);
    for (const path of ['/docs', '/openapi.json']) {
      expect((await fetch(`${fixture.replicas[0]?.httpUrl}${path}`)).status).toBe(200);
    }
  });
});
