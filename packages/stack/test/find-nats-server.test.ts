import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { findNatsServer } from '../src/index.js';
import { fetchRelease } from '../src/nats/release-archive.js';
import { temporaryDirectory } from './temporary-directory.js';

const system = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

async function writeProgram(directory: string, version: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const script = `#!/bin/sh\necho "nats-server: v${version}"\n`;
  await writeFile(join(directory, 'nats-server'), script, { mode: 0o755 });
}

describe('findNatsServer', () => {
  it('passes over a program on PATH that is too old and takes a later one', async () => {
    const root = await temporaryDirectory();
    await writeProgram(join(root, 'old'), '2.9.10');
    await writeProgram(join(root, 'new'), '2.12.1');
    const lines: string[] = [];
    const search = {
      environment: { PATH: `${root}/old:${root}/new` },
      binaries: join(root, 'bin'),
      report: (line: string) => lines.push(line),
    };
    expect(await findNatsServer(search)).toEqual({
      path: join(root, 'new', 'nats-server'),
      version: '2.12.1',
    });
    expect(lines[0]).toContain('nats-server from PATH is 2.9.10, too old');
  });

  it('keeps what it fetched, so that the next start needs no network', async () => {
    const root = await temporaryDirectory();
    let fetched = 0;
    const fetch = async (directory: string): Promise<string> => {
      fetched += 1;
      await writeProgram(directory, '2.15.1');
      return join(directory, 'nats-server');
    };
    const search = {
      environment: {},
      binaries: join(root, 'bin'),
      report: () => undefined,
      sources: [{ name: 'a test', fetch }],
    };
    const first = await findNatsServer(search);
    expect(await findNatsServer(search)).toEqual(first);
    expect(fetched).toBe(1);
  });

  it('replaces a program of the cache that is only a part of one, and says why', async () => {
    const root = await temporaryDirectory();
    const whole = await readFile(process.execPath);
    await writeFile(join(root, 'nats-server'), whole.subarray(0, 100_000), { mode: 0o755 });
    const fetch = async (directory: string): Promise<string> => {
      await writeProgram(directory, '2.15.1');
      return join(directory, 'nats-server');
    };
    const lines: string[] = [];
    const report = (line: string) => lines.push(line);
    await findNatsServer({ environment: {}, binaries: root, report, sources: [{ name: 'a test', fetch }] });
    expect(lines[0]).toMatch(/from the cache cannot be used \(.*a part of .*\): .*nats-server$/);
  });

  it('names a program of the cache that may not be executed when no other is to be had', async () => {
    const binaries = await temporaryDirectory();
    await writeFile(join(binaries, 'nats-server'), '#!/bin/sh\n', { mode: 0o644 });
    const search = findNatsServer({ environment: {}, binaries, report: () => undefined, sources: [] });
    await expect(search).rejects.toThrow(/the cache cannot be used \(it may not be executed .*chmod \+x/);
  });

  it('says what it tried and what to do when nothing works', async () => {
    const search = {
      environment: {},
      binaries: await temporaryDirectory(),
      report: () => undefined,
      sources: [
        { name: 'the release archive', fetch: () => Promise.reject(new Error('no network')) },
        { name: 'the Debian package', fetch: () => Promise.reject(new Error('not Debian')) },
      ],
    };
    const error = findNatsServer(search);
    await expect(error).rejects.toMatchObject({ code: 'NATS_NOT_FOUND' });
    await expect(error).rejects.toThrow(
      /release archive: no network\n.*Debian package: not Debian\nDo one of these/,
    );
  });
});

describe('fetchRelease', () => {
  const version = '9.9.9';
  const folder = `nats-server-v${version}-${system}`;
  const files = new Map<string, Buffer>();
  let server: Server;
  let baseUrl: string;

  beforeAll(async () => {
    const root = await temporaryDirectory();
    await writeProgram(join(root, folder), version);
    execFileSync('tar', ['-czf', 'archive.tar.gz', folder], { cwd: root });
    files.set(`/v${version}/${folder}.tar.gz`, await readFile(join(root, 'archive.tar.gz')));
    server = createServer((request, response) => {
      const content = files.get(request.url ?? '');
      response.statusCode = content === undefined ? 404 : 200;
      response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const publishSum = (content: Buffer): void => {
    const sum = createHash('sha256').update(content).digest('hex');
    files.set(
      `/v${version}/SHA256SUMS`,
      Buffer.from(`${'0'.repeat(64)}  other.zip\n${sum}  ${folder}.tar.gz\n`),
    );
  };

  it('unpacks an archive whose sum is in the list of the release', async () => {
    publishSum(files.get(`/v${version}/${folder}.tar.gz`) ?? Buffer.of());
    const program = await fetchRelease({ into: await temporaryDirectory(), version, baseUrl });
    expect(await readFile(program, 'utf8')).toContain(version);
  });

  it('refuses an archive with another sum', async () => {
    publishSum(Buffer.from('something else'));
    const refused = fetchRelease({ into: await temporaryDirectory(), version, baseUrl });
    await expect(refused).rejects.toThrow(/has SHA-256 .* but SHA256SUMS says/);
  });

  it('refuses an archive that is not in the list', async () => {
    files.set(`/v${version}/SHA256SUMS`, Buffer.from('nothing\n'));
    const refused = fetchRelease({ into: await temporaryDirectory(), version, baseUrl });
    await expect(refused).rejects.toThrow(`lists no ${folder}.tar.gz`);
  });
});
