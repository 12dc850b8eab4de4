import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { prepareHttpEnd } from './http-end.js';

it('a request that came only in part, or not at all, does not hold up the end; one being answered does', async () => {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => setTimeout(() => response.end('answered'), 700));
  });
  const endHttp = prepareHttpEnd({ server, addHook: () => undefined }, 100);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const send = async (text: string) => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    if (text !== '') socket.write(text);
    return { closed: once(socket, 'close'), received: socket.setEncoding('utf8').toArray() };
  };
  const post = 'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n';
  const asked = once(server, 'request');
  const half = await send(`${post}ab`);
  await asked;
  const silent = await send('');
  const whole = await send(`${post}abcd`);
  await once(server, 'request');
  const closed = once(server, 'close');
  endHttp();
  server.close();
  await closed;
  expect((await whole.received).join('')).toContain('answered');
  expect([await half.received, await silent.received]).toEqual([[], []]);
});
