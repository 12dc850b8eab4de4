import { once } from 'node:events';
import { connect } from 'node:net';
import { ADMIN_KEY, asAdmin, until } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
let url = '';

beforeAll(async () => {
  fixture = await startFixture({
    environment: {
      BATON_RATE_KEY: '2',
      BATON_RATE_ADDRESS: '2',
      BATON_RATE_AGENT: '2',
      BATON_HTTP_MAX_CONNECTIONS: '40',
    },
  });
  url = fixture.replicas[0]?.httpUrl ?? '';
}, 60_000);
afterAll(() => fixture.close());

/** Many at once: more than may be, however slow the machine is. */
async function flood(ask: () => Promise<Response>) {
  const answers = await Promise.all(
    Array.from({ length: 25 }, async () => {
      const answer = await ask();
      // Read to the end: a connection with an answer in it is not used again, and there may be only so many.
      return new Response(await answer.text(), answer);
    }),
  );
  const statuses = new Set(answers.map(({ status }) => status));
  return { statuses, refused: answers.find(({ status }) => status === 429) };
}

/** Asked again as told, since the tests before have used it up. */
async function untilAllowed(ask: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const answer = await ask();
    await answer.arrayBuffer();
    if (answer.status !== 429) return answer;
    await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after')) * 1_000));
  }
}

const asked = (key: string) => () =>
  fetch(`${url}/v1/pause`, { headers: { authorization: `Bearer ${key}` } });

describe('rates', () => {
  it('of one key are limited, tell when to come again, and are no matter of another key', async () => {
    const { body } = await fixture.http('POST', '/v1/keys', { name: 'flooding', role: 'viewer' });
    // A key nobody knows yet counts for its address.
    expect((await untilAllowed(asked(body.key))).status).toBe(200);
    const { statuses, refused } = await flood(asked(body.key));
    expect(statuses).toEqual(new Set([200, 429]));
    expect(await refused?.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429, retryable: true });
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(refused?.headers.get('ratelimit-policy')).toBe('"key";q=4;w=2');
    expect(refused?.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d$/);
    expect((await untilAllowed(asked(ADMIN_KEY))).status).toBe(200);
    expect((await untilAllowed(asked(body.key))).status).toBe(200);
  }, 30_000);

  it('of who shows no valid key are limited by address, whatever a header says it is, and valid keys are let in', async () => {
    let turn = 0;
    const { statuses, refused } = await flood(() => {
      turn += 1;
      const key = `baton_${String(turn).padStart(43, '0')}`;
      const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': `203.0.113.${turn % 250}` };
      return fetch(`${url}/v1/pause`, { headers });
    });
    expect(statuses).toEqual(new Set([401, 429]));
    expect(refused?.headers.get('ratelimit')).toContain('"address"');
    expect((await untilAllowed(asked(ADMIN_KEY))).status).toBe(200);
  }, 30_000);

  it('of one agent are limited over NATS and change nothing of another agent', async () => {
    const agent = await fixture.connectionOf('flooding');
    const call = (id: string) => fixture.ask(`agent.${id}.call.list`, {});
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('flooding')));
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0].error).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(refused[0].error.retryAfterMs).toBeGreaterThan(0);
    expect((await call('peaceful')).ok).toBe(true);
    expect(agent.isClosed()).toBe(false);
  }, 30_000);
});

/** What a server answers to what is sent slowly or wrong, until it closes the connection. */
async function say(text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(text);
  return (await socket.setEncoding('utf8').toArray()).join('');
}

const head = (more: string) =>
  `POST /v1/tasks HTTP/1.1\r\nhost: x\r\nauthorization: ${asAdmin.authorization}\r\n${more}`;

describe('slow and oversized requests', () => {
  it.each([
    ['a head that never ends', 'GET /v1/tasks HTTP/1.1\r\nhost: x\r\n', '408'],
    [
      'a body that never comes',
      head('content-type: application/json\r\ncontent-length: 100\r\n\r\n{"ti'),
      '',
    ],
    ['a head of 20 KB', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
    ['a length and chunks', head('content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'), '400'],
  ])(
    'ends %s while others are served',
    async (_, text, status) => {
      const told = say(text);
      const others = await untilAllowed(asked(ADMIN_KEY));
      expect(others.status).toBe(200);
      const answer = await told;
      expect(answer).toContain(status === '' ? '' : `HTTP/1.1 ${status} `);
      expect(answer).not.toContain(' 201 ');
    },
    60_000,
  );

  it('refuses a body that is said to be larger than may be, before it came', async () => {
    const answer = await say(
      head('connection: close\r\ncontent-type: application/json\r\ncontent-length: 99000000\r\n\r\n{'),
    );
    expect(answer).toContain('HTTP/1.1 413 ');
    expect(answer).toContain('PAYLOAD_TOO_LARGE');
  }, 30_000);

  it('closes connections beyond the most, and holds the others', async () => {
    const { hostname, port } = new URL(url);
    const sockets = await Promise.all(
      Array.from({ length: 80 }, async () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        return socket;
      }),
    );
    const isClosed = () => sockets.filter(({ closed, readableEnded }) => closed || readableEnded).length;
    for (const socket of sockets) socket.resume();
    await until(() => isClosed() >= 40, { timeoutMs: 30_000 });
    for (const socket of sockets) socket.destroy();
    expect((await untilAllowed(asked(ADMIN_KEY))).status).toBe(200);
  }, 60_000);
});

it('every answer is one that browsers keep to themselves', async () => {
  for (const path of ['/v1/pause', '/v1/nothing', '/openapi.json', '/docs']) {
    const answer = await untilAllowed(() =>
      fetch(`${url}${path}`, { headers: { ...asAdmin, origin: 'https://evil.example' } }),
    );
    const sent = (name: string) => answer.headers.get(name);
    expect([path, sent('access-control-allow-origin')]).toEqual([path, null]);
    expect(sent('x-content-type-options')).toBe('nosniff');
    expect(sent('x-frame-options')).toBe('DENY');
    expect(sent('cross-origin-resource-policy')).toBe('same-origin');
    expect(sent('content-security-policy')).toContain("default-src 'none'");
    expect(sent('cache-control')).toBe('no-store');
  }
}, 30_000);
