import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { DomainError, type Problem } from './errors.js';
import { parse } from './parse.js';
import { createGraph, createTask } from './task.js';

function refusal(schema: z.ZodType, input: unknown): DomainError {
  try {
    parse(schema, input, 'task');
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('expected the input to be refused');
}

function pointers({ details }: DomainError): readonly string[] {
  return ((details ?? {})['errors'] as readonly Problem[]).map(({ pointer }) => pointer);
}

describe('parse', () => {
  it('gives back the parsed value with its defaults', () => {
    expect(parse(createTask, { title: 'a task' }, 'task')).toMatchObject({
      priority: 3,
      type: 'task',
      tags: [],
    });
  });

  it('names every problem by JSON pointer', () => {
    const error = refusal(createTask, { title: '', priority: 6, requiredCapabilities: [{ name: 'a' }, {}] });
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(pointers(error)).toEqual(['/title', '/priority', '/requiredCapabilities/1/name']);
  });

  it('escapes names as RFC 6901 says', () => {
    const schema = z.object({ 'a/b': z.object({ 'c~d': z.string() }) });
    expect(pointers(refusal(schema, { 'a/b': { 'c~d': 1 } }))).toEqual(['/a~1b/c~0d']);
  });

  it('points at the root when it is the input itself that is wrong', () => {
    const error = refusal(createTask, 'text');
    expect(pointers(error)).toEqual(['']);
    expect(error.message).toMatch(/^task: \/ /);
  });

  it('puts the first problem and the number of the others into the message', () => {
    const error = refusal(createTask, { title: '', priority: 6, type: '' });
    expect(error.message).toMatch(/^task: \/title .* \(and 2 more\)$/);
    expect(refusal(createTask, { title: '' }).message).not.toMatch(/more/);
  });

  it('points into the task of a graph', () => {
    const tasks = [{ ref: 'a', title: 'a' }, { ref: 'b' }];
    expect(pointers(refusal(createGraph, { tasks }))).toEqual(['/tasks/1/title']);
  });

  it('never shows a refused key of the prototype as accepted', () => {
    const input: unknown = JSON.parse('{"title":"a","__proto__":{"priority":1}}');
    expect(pointers(refusal(createTask, input))).toEqual(['/__proto__']);
  });
});
