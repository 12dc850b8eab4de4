import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const committed = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8'));

describe('the documents', () => {
  it.each(['openapi.json', 'asyncapi.json'])('serves docs/%s as it is committed', async (name) => {
    const { status, body, headers } = await fixture.http('GET', `/${name}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body).toEqual(committed(name));
  });

  it('serves a page of both that runs nothing and asks nobody for anything', async () => {
    const response = await fetch(`${fixture.replicas[0]?.httpUrl}/docs`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    const page = await response.text();
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|style="/);
    expect([...page.matchAll(/(?:href|src)="([^#"][^"]*)"/g)].map(([, to]) => to)).toEqual([
      '/openapi.json',
      '/asyncapi.json',
    ]);
  });

  it('shows every operation and message, and no link of the page leads nowhere', async () => {
    const page = await (await fetch(`${fixture.replicas[0]?.httpUrl}/docs`)).text();
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    const paths: Readonly<Record<string, object>> = committed('openapi.json').paths;
    const methods = Object.values(paths).flatMap((item) => Object.values(item));
    const operations = methods.map(({ operationId }: { operationId: string }) => operationId);
    expect(operations.length).toBeGreaterThan(10);
    expect(ids).toEqual(expect.arrayContaining(operations));
    expect(ids).toEqual(expect.arrayContaining(Object.keys(committed('asyncapi.json').operations)));
    expect(ids).toEqual([...new Set(ids)]);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });
});
