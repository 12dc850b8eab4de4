import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createTestDatabase } from '@baton/testkit';
import { expect, it } from '@jest/globals';
import { createDataSource } from '../src/database/database.js';

it('a connection whose server fell silent is given up, and not used again', async () => {
  const database = await createTestDatabase();
  const target = new URL(database.url);
  const ways: [Socket, Socket][] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    ways.push([client, upstream]);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(database.url);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dataSource = await createDataSource(url.href).initialize();
  try {
    await dataSource.query('SELECT 1');
    for (const [client, upstream] of ways) upstream.unpipe(client);
    await expect(dataSource.query('SELECT 1')).rejects.toThrow('timeout');
    // The pool hears of the loss a moment after the query does.
    await new Promise(setImmediate);
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  } finally {
    await dataSource.destroy();
    for (const socket of ways.flat()) socket.destroy();
    server.close();
    await database.close();
  }
}, 30_000);
