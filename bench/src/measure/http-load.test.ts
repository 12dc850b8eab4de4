import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { postRequest, startHttpLoad, type HttpLoad } from './http-load.js';

let server: Server | undefined;
let load: HttpLoad | undefined;

afterEach(() => {
  load?.close();
  server?.close();
});

it('posts JSON over connections that stay open, one request at a time on each', async () => {
  const connections = new Set<number | undefined>();
  const url = await serve((body, port) => {
    connections.add(port);
    return {
      status: 201,
      text: JSON.stringify({ ...(JSON.parse(body) as object), größe: 'ü'.repeat(50_000) }),
    };
  });
  load = startHttpLoad(url);
  const request = postRequest(url, { title: 'Grüße' });
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all([load.send(request), load.send(request)]);
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect(JSON.parse(body)).toEqual({ title: 'Grüße', größe: 'ü'.repeat(50_000) });
    }
  }
  expect(connections.size).toBe(2);
});

it('rejects when the server hangs up instead of answering', async () => {
  const url = await serve(() => undefined);
  load = startHttpLoad(url);
  await expect(load.send(postRequest(url, {}))).rejects.toThrow('closed the connection');
});

type Answer = { readonly status: number; readonly text: string };

async function serve(
  answer: (body: string, clientPort: number | undefined) => Answer | undefined,
): Promise<string> {
  const started = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const given = answer(Buffer.concat(chunks).toString(), request.socket.remotePort);
      if (given === undefined) return request.socket.destroy();
      const length = Buffer.byteLength(given.text);
      return response.writeHead(given.status, { 'content-length': length }).end(given.text);
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/v1/tasks`;
}
