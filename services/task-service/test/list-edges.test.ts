import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
let ids: Readonly<Record<'urgent' | 'tagged' | 'late' | 'child', string>>;
beforeAll(async () => {
  fixture = await startFixture();
  await hello(fixture, 'reader');
  await hello(fixture, 'stranger');
  const urgent = await create(fixture, {
    title: 'Urgent, 50% of it',
    type: 'mail',
    priority: 1,
    input: { secret: 1 },
  });
  const tagged = await create(fixture, {
    title: 'Tagged',
    type: 'mail:out',
    tags: ['red', 'blue'],
    description: 'long',
  });
  const late = await create(fixture, { title: 'Late', type: 'post', priority: 5, metadata: { big: 'x' } });
  const { attempt } = await assign(fixture, urgent, 'reader');
  await verb(fixture, 'reader', 'start', { taskId: urgent, attempt, epoch: 1 });
  const spawned = await fixture.ask('agent.reader.call.spawn', {
    parent: { taskId: urgent, attempt, epoch: 1 },
    task: { title: 'Child', type: 'mail' },
  });
  ids = { urgent, tagged, late, child: spawned.tasks[0].id };
  await assign(fixture, ids.child, 'stranger');
});
afterAll(() => fixture.close());

const search = (parameters: Readonly<Record<string, string>> | readonly (readonly string[])[], route = '') =>
  fixture.http(
    'GET',
    `/v1/tasks${route}?${new URLSearchParams(parameters as Record<string, string>).toString()}`,
  );
const found = async (parameters: Readonly<Record<string, string>> | readonly (readonly string[])[]) => {
  const { status, body } = await search(parameters);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.data.map(({ id }: Json) => id);
};

describe('GET /v1/tasks', () => {
  it('means the same by parameters and by q, and both together', async () => {
    const { urgent, tagged, late, child } = ids;
    expect(await found({ type: 'mail' })).toEqual([child, urgent]);
    expect(await found({ q: 'type:mail' })).toEqual([child, urgent]);
    expect(await found({ type: 'mail', q: 'status:in_progress' })).toEqual([urgent]);
    expect(await found({ status: 'queued', q: 'status:in_progress' })).toEqual([]);
    expect(await found({ status: 'queued,in_progress', priority: '<=1' })).toEqual([urgent]);
    expect(await found({ status: 'queued', text: 'LATE' })).toEqual([late]);
    expect(await found({ age: '<1d', q: '"50% of"' })).toEqual([urgent]);
    expect(
      await found([
        ['tag', 'red'],
        ['tag', 'blue'],
      ]),
    ).toEqual([tagged]);
    expect(
      await found([
        ['tag', 'red'],
        ['tag', 'green'],
      ]),
    ).toEqual([]);
    expect(await found({ agent: 'reader', type: 'mail*' })).toEqual([urgent]);
    expect(await found({ creator: 'agent:reader' })).toEqual([child]);
    expect(await found({ parent: urgent })).toEqual([child]);
    expect(await found({ root: urgent, sort: 'createdAt' })).toEqual([urgent, child]);
    expect(await found({ root: child })).toEqual([]);
    expect(
      await found([
        ['status', 'queued'],
        ['status', 'in_progress'],
        ['priority', '<=1'],
        ['priority', '5'],
      ]),
    ).toEqual([late, urgent]);
    expect(await found({ sort: 'priority', status: 'queued,in_progress' })).toEqual([urgent, tagged, late]);
    expect(await found({ sort: '-priority' })).toEqual([late, child, tagged, urgent]);
    expect(await found({ completed: '>=2020-01-01', age: '<1d' })).toEqual([]);
    expect(
      await found([
        ['created', '>=2020-01-01'],
        ['created', '<2020-01-02'],
      ]),
    ).toEqual([]);
  });

  it('never answers payloads, nor what may be large', async () => {
    const { body } = await search({});
    expect(body.data).toHaveLength(4);
    for (const task of body.data) {
      for (const field of ['input', 'context', 'result', 'description', 'metadata', 'progress']) {
        expect(task).not.toHaveProperty(field);
      }
    }
  });

  it.each<[Record<string, string>, string, RegExp]>([
    [{ q: 'stauts:failed' }, '/q', /at character 1: .* did you mean status\?/],
    [{ q: 'type:mail status:faild' }, '/q', /at character 18: .* did you mean failed\?/],
    [{ status: 'odd' }, '/status', /expected a status/],
    [{ priority: '0' }, '/priority', /1 \(critical\) to 5/],
    [{ agent: 'a.b' }, '/agent', /id of the agent/],
    [{ creator: 'me' }, '/creator', /agent:planner/],
    [{ type: '*' }, '/type', /expected a type/],
    [{ tag: 'a b' }, '/tag', /expected the end of tag/],
    [{ tag: '' }, '/tag', /got nothing/],
    [{ parent: 'x' }, '/parent', /id of a task/],
    [{ root: 'x' }, '/root', /id of a task/],
    [{ created: '2026-01-01' }, '/created', /<, <=, > or >=/],
    [{ completed: '>yesterday' }, '/completed', /yesterday/],
    [{ age: '>10' }, '/age', /duration/],
    [{ text: 'a\0' }, '/text', /title/],
    [{ sort: 'title' }, '/sort', /-createdAt/],
    [{ limit: '201' }, '/limit', /200/],
    [{ limit: '0' }, '/limit', /1/],
    [{ cursor: 'made.up' }, '/cursor', /page\.next/],
    [{ colour: 'red' }, '/colour', /colour/],
  ])('refuses %j at %s', async (parameters, pointer, detail) => {
    const { status, body } = await search(parameters);
    expect(status).toBe(400);
    expect(body.code).toBe('VALIDATION_FAILED');
    expect(body.errors).toHaveLength(1);
    expect(body.errors[0].pointer).toBe(pointer);
    expect(body.errors[0].detail).toMatch(detail);
  });

  it.each<[Record<string, string>]>([
    [{ text: 'mail' }],
    [{ type: 'mail*' }],
    [{ completed: '>=2026-01-01' }],
    [{ text: 'mail', created: '<2030-01-01' }],
    [{ sort: 'priority', type: 'mail' }],
    [{ sort: 'priority', age: '<1d' }],
  ])('refuses %j, which no index serves, with what is supported', async (parameters) => {
    const { status, body } = await search(parameters);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'QUERY_NOT_SUPPORTED', retryable: false });
    expect(body.errors[0].detail).toMatch(/add status/);
    expect(body.details.supported).toContainEqual({
      fields: ['type', 'status'],
      sorts: ['-createdAt', 'createdAt'],
    });
  });

  it('takes a cursor only for the filter and order it was given for, and as it was given', async () => {
    const { body } = await search({ status: 'queued,assigned,in_progress', limit: '1' });
    const cursor: string = body.page.next;
    const next = await search({ q: 'status:in_progress,assigned,queued', limit: '2', cursor });
    expect(next.body.data).toHaveLength(2);
    const forged = Buffer.from(cursor, 'base64url');
    forged[40] = (forged[40] ?? 0) ^ 1;
    // What it stands behind may be a task the reader cannot see.
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain(ids.child.slice(0, 8));
    const bad = [
      { status: 'queued', cursor },
      { status: 'queued,assigned,in_progress', sort: 'createdAt', cursor },
      { cursor },
      { status: 'queued,assigned,in_progress', cursor: forged.toString('base64url') },
      { status: 'queued,assigned,in_progress', cursor: cursor.slice(0, 20) },
      { status: 'queued,assigned,in_progress', cursor: `${cursor}xxxx` },
    ];
    for (const parameters of bad) {
      const answer = await search(parameters);
      expect(answer.body).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ pointer: '/cursor' }] });
    }
  });

  it('counts with the same filters', async () => {
    expect((await search({}, '/count')).body).toEqual({ count: 4, approximate: false });
    expect((await search({ type: 'mail', q: 'status:in_progress' }, '/count')).body.count).toBe(1);
    expect((await search({ status: 'queued', q: 'status:failed' }, '/count')).body.count).toBe(0);
    expect((await search({ limit: '5' }, '/count')).body.code).toBe('VALIDATION_FAILED');
    expect((await search({ text: 'mail' }, '/count')).body.code).toBe('QUERY_NOT_SUPPORTED');
  });
});

describe('call.list', () => {
  const list = (agent: string, body: object) => fixture.ask(`agent.${agent}.call.list`, body);
  const idsOf = async (agent: string, body: object) =>
    (await list(agent, body)).data.map(({ id }: Json) => id);

  it('shows an agent what it created or had last, and all below what it holds', async () => {
    const { urgent, child } = ids;
    expect(await idsOf('reader', {})).toEqual([child, urgent]);
    expect(await idsOf('stranger', {})).toEqual([child]);
    expect(await idsOf('nobody', {})).toEqual([]);
    expect(await idsOf('reader', { q: 'status:in_progress' })).toEqual([urgent]);
    expect(await idsOf('reader', { q: `parent:${urgent}` })).toEqual([child]);
    expect(await idsOf('stranger', { q: `root:${urgent}` })).toEqual([child]);
    expect(await idsOf('nobody', { q: `root:${urgent}` })).toEqual([]);
    expect(await idsOf('stranger', { q: 'status:in_progress agent:reader' })).toEqual([]);
  });

  it('goes on behind a cursor of the same agent alone, and refuses what a list over HTTP refuses', async () => {
    const { page } = await list('reader', { limit: 1 });
    expect((await list('reader', { limit: 1, cursor: page.next })).data).toHaveLength(1);
    expect((await list('stranger', { limit: 1, cursor: page.next })).error.code).toBe('VALIDATION_FAILED');
    const { error } = await list('reader', { q: 'stauts:failed' });
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', details: { errors: [{ pointer: '/q' }] } });
    expect((await list('reader', { q: 'type:mail', sort: 'priority' })).error.code).toBe(
      'QUERY_NOT_SUPPORTED',
    );
  });
});
