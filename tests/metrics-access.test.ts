import { describe, expect, it, jest } from '@jest/globals';
import { asAdmin, connectOperator, until } from '@baton/testkit';
import { withSystem } from './system/system.js';

jest.setTimeout(120_000);

describe('metrics-service', () => {
  it('lets in by the keys of task-service, as long as they are valid, and nobody else', () =>
    withSystem({}, async (system) => {
      const [service] = system.metrics;
      const read = (headers: Record<string, string> = {}, path = '/v1/metrics/tasks') =>
        fetch(`${service?.httpUrl}${path}`, { headers });
      const keyOf = async (said: object) => {
        const { status, body } = await system.http({ method: 'POST', path: '/keys', body: said });
        expect(status).toBe(201);
        return { id: String(body.id), shown: { authorization: `Bearer ${body.key}` } };
      };
      expect((await read(asAdmin)).status).toBe(200);
      const viewer = await keyOf({ name: 'dashboards', role: 'viewer' });
      expect((await read(viewer.shown)).status).toBe(200);

      for (const headers of [{}, { authorization: `Bearer baton_${'x'.repeat(43)}` }]) {
        const refused = await read(headers);
        expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'UNAUTHENTICATED' }]);
        expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
      }
      const agent = await keyOf({ name: 'an-agent', role: 'agent', agentId: 'writer' });
      expect(await (await read(agent.shown)).json()).toMatchObject({ status: 403, code: 'FORBIDDEN' });

      expect((await system.http({ method: 'DELETE', path: `/keys/${viewer.id}` })).status).toBe(204);
      await until(async () => (await read(viewer.shown)).status === 401, { timeoutMs: 30_000 });

      const connection = await connectOperator(system.nats);
      try {
        const check = async (said: unknown) =>
          (await connection.request('svc.auth.check', JSON.stringify(said))).json();
        expect(await check({ token: asAdmin.authorization.slice('Bearer '.length) })).toEqual({
          principal: { actor: 'user:local', role: 'admin' },
        });
        expect(await check({ token: "' OR 1=1--" })).toEqual({ principal: null });
        expect(await check({ token: 'x'.repeat(8_193) })).toMatchObject({
          ok: false,
          error: { code: 'VALIDATION_FAILED' },
        });
      } finally {
        await connection.close();
      }
    }));
});
