import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HTTP_PATIENCE } from './http-limits.js';

const HEAD_MS = 100;

let server: Server;
beforeAll(async () => {
  const patience = { headersTimeout: HEAD_MS, requestTimeout: 60_000, connectionsCheckingInterval: 20 };
  server = createServer(patience, (_, response) => void response.end('served'));
  server.on('clientError', HTTP_PATIENCE.clientErrorHandler).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

async function open() {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('a connection', () => {
  it('that was opened in advance is served, however late its first request comes', async () => {
    const socket = await open();
    await delay(5 * HEAD_MS);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect((await socket.setEncoding('utf8').toArray()).join('')).toMatch(/^HTTP\/1.1 200 OK.*served$/s);
  });

  it.each([
    ['a head that never ends', 'GET / HTTP/1.1\r\nhost: x\r\n', '408'],
    ['a head that is too long', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
    ['what is not HTTP', 'Good morning\r\n\r\n', '400'],
  ])('with %s is told and ended', async (_, text, status) => {
    const socket = await open();
    socket.write(text);
    expect((await socket.setEncoding('utf8').toArray()).join('')).toContain(`HTTP/1.1 ${status} `);
  });
});
