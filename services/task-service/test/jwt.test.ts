import { createHmac } from 'node:crypto';
import { until } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportSPKI } from 'jose';
import { createTokenVerifier } from '../src/access/jwt.js';
import { startFixture, type Fixture } from './fixture.js';
import { startIssuer } from './issuer.js';

let issuer: Awaited<ReturnType<typeof startIssuer>>;
let key: Awaited<ReturnType<typeof issuer.rotateTo>>;
let fixture: Fixture;

beforeAll(async () => {
  issuer = await startIssuer();
  key = await issuer.rotateTo('one');
  fixture = await startFixture({ environment: { BATON_OIDC_ISSUER: issuer.url } });
}, 60_000);
afterAll(async () => {
  await fixture.close();
  await issuer.close();
});

const as = (token: string, method = 'GET', path = '/v1/pause', body?: unknown) =>
  fixture.http(method, path, body, { authorization: `Bearer ${token}` });
const now = () => Math.floor(Date.now() / 1_000);
const encoded = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** With a head of its own, and signed by what an attacker may know: the public key. */
async function forged(head: object, secret?: string): Promise<string> {
  const [, payload] = (await issuer.sign(key, { roles: ['baton-admin'] })).split('.');
  const text = `${encoded(head)}.${payload}`;
  return `${text}.${secret === undefined ? '' : createHmac('sha256', secret).update(text).digest('base64url')}`;
}

describe('tokens of an OpenID Connect issuer', () => {
  it('let in by their role, and name their subject in histories', async () => {
    const operator = await issuer.sign(key);
    const created = await as(operator, 'POST', '/v1/tasks', { title: 'By token' });
    expect([created.status, created.body.createdBy]).toEqual([201, 'user:oidc:ada']);
    expect((await as(operator, 'GET', '/v1/keys')).status).toBe(403);
    const viewer = await issuer.sign(key, { roles: 'baton-viewer' });
    expect((await as(viewer)).status).toBe(200);
    expect((await as(viewer, 'POST', '/v1/tasks', { title: 'No' })).status).toBe(403);
    const admin = await issuer.sign(key, { roles: ['baton-viewer', 'baton-admin', 'other'] });
    expect((await as(admin, 'GET', '/v1/keys')).status).toBe(200);
  });

  it.each([
    ['that is expired', { exp: now() - 60 }],
    ['that is not valid yet', { nbf: now() + 600 }],
    ['without an end', { exp: undefined }],
    ['for another audience', { aud: 'billing' }],
    ['without an audience', { aud: undefined }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['without a role', { roles: [] }],
    ['whose roles are those of something else', { roles: ['admin', 'operator', 'agent', 'baton-agent'] }],
    ['whose roles are an object', { roles: { 'baton-admin': true } }],
    ['without a subject', { sub: undefined }],
    ['whose subject is no name', { sub: 'ada\r\nadmin' }],
  ])('refuse one %s', async (_, claims) => {
    const { status, body } = await as(await issuer.sign(key, claims));
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('refuse what is not signed by a key of the issuer, whatever its head says', async () => {
    const [stranger, spki] = [await issuer.makeKey('one'), await exportSPKI(key.publicKey)];
    const embedded = { jwk: stranger.jwk };
    const attacks: Readonly<Record<string, string>> = {
      'no signature': await forged({ alg: 'none' }),
      'no signature, otherwise spelt': await forged({ alg: 'NoNe', kid: 'one' }),
      'the public key as a shared secret': await forged({ alg: 'HS256', kid: 'one' }, spki),
      'its JSON as a shared secret': await forged({ alg: 'HS256', kid: 'one' }, JSON.stringify(key.jwk)),
      'another key under the same id': await issuer.sign(stranger),
      'a key of its own in the head': await issuer.sign(stranger, {}, embedded),
      'keys from elsewhere': await issuer.sign(stranger, {}, { jku: 'https://evil.example/keys' }),
      'a key id that is a path': await issuer.sign(stranger, {}, { kid: '../../../../dev/null' }),
      'a key id that is SQL': await issuer.sign(stranger, {}, { kid: "' UNION SELECT 'key" }),
      'a changed payload': (await issuer.sign(key)).replace(/\.[^.]+\./, `.${encoded({ sub: 'root' })}.`),
      'a cut signature': (await issuer.sign(key)).slice(0, -8),
      'no token at all': 'a.b.c',
      '7,000 dots': '.'.repeat(7_000),
      '9,000 letters': 'x'.repeat(9_000),
    };
    const before = await fixture.db.query('SELECT count(*) FROM tasks');
    for (const [attack, token] of Object.entries(attacks)) {
      const { status, body } = await as(token, 'POST', '/v1/tasks', { title: 'No' });
      expect([attack, status, body.code]).toEqual([attack, 401, 'UNAUTHENTICATED']);
    }
    expect((await fixture.db.query('SELECT count(*) FROM tasks')).rows).toEqual(before.rows);
    expect((await as(await issuer.sign(key))).status).toBe(200);
  });

  it('are neither taken nor called wrong while the keys of the issuer cannot be read', async () => {
    const gone = await startIssuer();
    await gone.close();
    const verify = createTokenVerifier({ issuer: gone.url, audience: 'baton', rolesClaim: 'roles' });
    await expect(verify(await issuer.sign(key))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('follow the issuer to a new key, whose old one is worth nothing then, without asking it for each token', async () => {
    const old = key;
    key = await issuer.rotateTo('two');
    const token = await issuer.sign(key);
    await until(async () => (await as(token)).status === 200, { timeoutMs: 60_000 });
    expect((await as(await issuer.sign(old))).status).toBe(401);
    const reads = issuer.reads();
    for (let turn = 0; turn < 20; turn += 1) await as(await issuer.sign(key, { jti: String(turn) }));
    expect(issuer.reads() - reads).toBeLessThanOrEqual(1);
  }, 90_000);
});
