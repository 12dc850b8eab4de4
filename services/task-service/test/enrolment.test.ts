import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, nkeys, type NatsConnection } from '@nats-io/transport-node';
import { credsAuthenticator } from '@nats-io/transport-node';
import { hello } from './agent.js';
import { startFixture, type Fixture, type HttpAnswer, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2, environment: { BATON_AGENT_ENROLMENT: 'closed' } });
}, 60_000);
afterAll(() => fixture.close());

/** Nobody's header: whoever enrols has no API key. */
const NOBODY = { authorization: '' };

async function tokenFor(said: object = {}): Promise<Json> {
  const { status, body } = await fixture.http('POST', '/v1/enrolment-tokens', said);
  expect(status).toBe(201);
  return body;
}

function enrol(token: string, agentId: string, publicKey: string): Promise<HttpAnswer> {
  return fixture.http('POST', '/v1/enrolments', { token, agentId, publicKey }, NOBODY);
}

function newKey() {
  const pair = nkeys.createUser();
  const seed = new TextDecoder().decode(pair.getSeed());
  return { publicKey: pair.getPublicKey(), seed };
}

/** Logs in as the agent: proves that the server takes what was signed. */
function logIn(id: string, jwt: string, seed: string): Promise<NatsConnection> {
  const credentials = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  return connect({
    servers: fixture.nats.url,
    inboxPrefix: `_INBOX.${id}`,
    authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
    reconnect: false,
  });
}

const helloOf = (connection: NatsConnection, id: string, said: object = {}) =>
  connection
    .request(
      `agent.${id}.hello`,
      JSON.stringify({ instance: crypto.randomUUID(), startedAt: new Date(), running: [], ...said }),
      { timeout: 5_000 },
    )
    .then((message) => message.json<Json>());

const auditOf = async (subject: string): Promise<readonly Json[]> =>
  (await fixture.http('GET', `/v1/audit?subject=${subject}&limit=200`)).body.data;

const refused = ({ status, body }: HttpAnswer) => [status, body.code];
const REFUSED = [403, 'ENROLMENT_REFUSED'];

describe('an enrolment token', () => {
  it('is exchanged for credentials with which the agent gets in; Baton keeps a hash and never sees its key', async () => {
    const { token, id, hint } = await tokenFor({ agentId: 'writer' });
    expect(token).toMatch(/^baton_enrol_[A-Za-z0-9]{43}$/);
    expect(token.startsWith(hint.slice(0, -1))).toBe(true);
    const { publicKey, seed } = newKey();
    const { status, body } = await enrol(token, 'writer', publicKey);
    expect([status, body.agentId, body.publicKey]).toEqual([201, 'writer', publicKey]);
    const leftMs = Date.parse(body.expiresAt) - Date.now();
    expect(leftMs).toBeLessThanOrEqual(86_400_000);
    expect(leftMs).toBeGreaterThan(80_000_000);

    const connection = await logIn('writer', body.jwt, seed);
    expect((await helloOf(connection, 'writer')).ok).toBe(true);
    await connection.close();

    const { rows } = await fixture.db.query('SELECT * FROM enrolment_tokens WHERE id = $1', [id]);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(rows[0].hash).toHaveLength(32);
    const listed = await fixture.http('GET', '/v1/enrolment-tokens?limit=200');
    expect(JSON.stringify(listed.body)).not.toContain(token);
    expect(listed.body.data).toContainEqual(
      expect.objectContaining({ id, agentId: 'writer', usedBy: 'writer', createdBy: 'user:local' }),
    );
    expect(await auditOf(id)).toEqual([
      expect.objectContaining({ actor: 'user:local', action: 'enrolment-token.create', code: null }),
    ]);
    expect(await auditOf('writer')).toContainEqual(
      expect.objectContaining({
        actor: 'agent:writer',
        action: 'agent.enrol',
        detail: { token: id, publicKey },
      }),
    );
  });

  it('lets nobody in twice; repeated with the same key, as after a lost answer, it is answered again', async () => {
    const { token, id } = await tokenFor();
    const { publicKey } = newKey();
    expect((await enrol(token, 'once', publicKey)).status).toBe(201);
    expect((await enrol(token, 'once', publicKey)).status).toBe(201);
    expect(refused(await enrol(token, 'once', newKey().publicKey))).toEqual(REFUSED);
    expect(refused(await enrol(token, 'twice', publicKey))).toEqual(REFUSED);
    expect((await fixture.http('GET', '/v1/agents/twice')).status).toBe(404);
    expect(await auditOf('twice')).toEqual([
      expect.objectContaining({ code: 'ENROLMENT_REFUSED', detail: { token: id, reason: 'used' } }),
    ]);
  });

  it('lets exactly one in of many at once', async () => {
    const { token } = await tokenFor();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, turn) => enrol(token, `racer-${turn}`, newKey().publicKey)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'ENROLMENT_REFUSED')).toHaveLength(11);
    const { rows } = await fixture.db.query(`SELECT count(*)::int FROM agents WHERE id LIKE 'racer-%'`);
    const credentials = await fixture.db.query(
      `SELECT count(*)::int FROM agent_credentials WHERE agent_id LIKE 'racer-%'`,
    );
    expect([rows[0].count, credentials.rows[0].count]).toEqual([1, 1]);
  });

  it.each([
    ['that nobody made', async () => `baton_enrol_${'x'.repeat(43)}`],
    ['of another agent', async () => (await tokenFor({ agentId: 'somebody' })).token],
    [
      'that expired',
      async () => {
        const { token, id } = await tokenFor();
        await fixture.db.query('UPDATE enrolment_tokens SET expires_at = clock_timestamp() WHERE id = $1', [
          id,
        ]);
        return token;
      },
    ],
    [
      'that was revoked',
      async () => {
        const { token, id } = await tokenFor();
        expect((await fixture.http('DELETE', `/v1/enrolment-tokens/${id}`)).status).toBe(204);
        return token;
      },
    ],
    [
      'for any agent, by the id of one that is there',
      async () => {
        await fixture.http('POST', '/v1/agents', { id: 'refused' });
        return (await tokenFor()).token;
      },
    ],
  ])('%s is refused, and says not why', async (_, make) => {
    const answer = await enrol(await make(), 'refused', newKey().publicKey);
    expect(refused(answer)).toEqual(REFUSED);
    expect(answer.body.detail).toMatch(/^The token does not enrol agent refused: it is none, or is used/);
    const { rows } = await fixture.db.query(
      `SELECT count(*)::int FROM agent_credentials WHERE agent_id = 'refused'`,
    );
    expect(rows[0].count).toBe(0);
  });

  it('is not spent on a key that is none, or is of another agent', async () => {
    const { token } = await tokenFor();
    const { publicKey } = newKey();
    const broken = `${publicKey.slice(0, -1)}${publicKey.endsWith('A') ? 'B' : 'A'}`;
    for (const bad of [broken, nkeys.createAccount().getPublicKey(), newKey().seed]) {
      const { status, body } = await enrol(token, 'careful', bad);
      expect([status, body.errors?.[0].pointer]).toEqual([400, '/publicKey']);
    }
    const [{ user_key: taken }] = (await fixture.db.query('SELECT user_key FROM agent_credentials LIMIT 1'))
      .rows;
    expect(refused(await enrol(token, 'careful', taken))).toEqual(REFUSED);
    expect((await enrol(token, 'careful', publicKey)).status).toBe(201);
  });

  it('bounds what the agent may announce', async () => {
    const { token } = await tokenFor({ capabilities: [{ name: 'read', level: 0.5 }], maxConcurrent: 2 });
    const { publicKey, seed } = newKey();
    const { body } = await enrol(token, 'modest', publicKey);
    const connection = await logIn('modest', body.jwt, seed);
    const of = (name: string, level: number, maxConcurrent: number) =>
      helloOf(connection, 'modest', { capabilities: [{ name, level }], maxConcurrent });
    expect((await of('read', 0.5, 2)).ok).toBe(true);
    for (const [name, level, capacity] of [
      ['read', 0.6, 2],
      ['write', 0.1, 2],
      ['read', 0.5, 3],
    ] as const) {
      expect((await of(name, level, capacity)).error).toMatchObject({ code: 'FORBIDDEN' });
    }
    const { body: agent } = await fixture.http('GET', '/v1/agents/modest');
    expect([agent.capabilities, agent.maxConcurrent]).toEqual([[{ name: 'read', level: 0.5 }], 2]);
    await connection.close();
  });

  it('is never given the id of an agent that was removed', async () => {
    await fixture.http('POST', '/v1/agents', { id: 'gone' });
    await fixture.http('DELETE', '/v1/agents/gone');
    const { token } = await tokenFor({ agentId: 'gone' });
    expect(refused(await enrol(token, 'gone', newKey().publicKey))).toEqual(REFUSED);
  });

  it('gives an agent nothing any more that was removed since, by the same token and key', async () => {
    const { token } = await tokenFor();
    const { publicKey } = newKey();
    expect((await enrol(token, 'leaving', publicKey)).status).toBe(201);
    expect((await enrol(token, 'leaving', publicKey)).status).toBe(201);
    await fixture.http('DELETE', '/v1/agents/leaving');
    expect(refused(await enrol(token, 'leaving', publicKey))).toEqual(REFUSED);
  });

  it('is made by operators, seen by viewers, and by agents neither', async () => {
    const keyOf = async (role: string) => {
      const said = { name: `enrolment-${role}`, role, ...(role === 'agent' && { agentId: 'writer' }) };
      return { authorization: `Bearer ${(await fixture.http('POST', '/v1/keys', said)).body.key}` };
    };
    const [operator, viewer, agent] = [await keyOf('operator'), await keyOf('viewer'), await keyOf('agent')];
    const make = async (header: Record<string, string>) =>
      (await fixture.http('POST', '/v1/enrolment-tokens', {}, header)).status;
    const see = async (header: Record<string, string>) =>
      (await fixture.http('GET', '/v1/enrolment-tokens', undefined, header)).status;
    expect([await make(operator), await make(viewer), await make(agent)]).toEqual([201, 403, 403]);
    expect([await see(operator), await see(viewer), await see(agent)]).toEqual([200, 200, 403]);
    const issue = await fixture.http('POST', '/v1/agents/writer/credentials', newKey(), agent);
    expect(issue.status).toBe(403);
  });
});

describe('credentials', () => {
  it('are made by operators for an agent that is registered, once for an idempotency key', async () => {
    const { publicKey, seed } = newKey();
    const path = '/v1/agents/reissued/credentials';
    expect((await fixture.http('POST', path, { publicKey })).body.code).toBe('AGENT_NOT_FOUND');
    await fixture.http('POST', '/v1/agents', { id: 'reissued' });
    const headers = { 'idempotency-key': 'reissue-1' };
    const first = await fixture.http('POST', path, { publicKey, lifetimeSeconds: 60 }, headers);
    expect(first.status).toBe(201);
    const again = await fixture.http('POST', path, { publicKey, lifetimeSeconds: 60 }, headers);
    expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([first.body, 'true']);
    const connection = await logIn('reissued', first.body.jwt, seed);
    expect((await helloOf(connection, 'reissued')).ok).toBe(true);
    await connection.close();
    const audit = await auditOf('reissued');
    expect(audit.filter(({ action }) => action === 'agent.credentials')).toHaveLength(1);
  });

  it('are renewed by the agent they are for, with a new key, and for no other', async () => {
    await fixture.http('POST', '/v1/agents', { id: 'renewing' });
    expect((await hello(fixture, 'renewing')).ok).toBe(true);
    const { publicKey, seed } = newKey();
    const renewed = await fixture.ask('agent.renewing.call.renew', { publicKey });
    expect(renewed).toMatchObject({ ok: true, agentId: 'renewing', publicKey });
    const connection = await logIn('renewing', renewed.jwt, seed);
    expect((await helloOf(connection, 'renewing')).ok).toBe(true);
    await connection.close();
    await expect(logIn('writer', renewed.jwt, newKey().seed)).rejects.toThrow(/authori/i);
    expect(
      (await fixture.ask('agent.stranger.call.renew', { publicKey: newKey().publicKey })).error.code,
    ).toBe('ENROLMENT_REFUSED');
  });
});
