import { describe, expect, it, jest } from '@jest/globals';
import type { Principal } from '@baton/contracts';
import { createAuthentication } from './authentication.js';

const ADA: Principal = { actor: 'user:ada', role: 'viewer' };

/** Knows one key, which can be revoked, and a database that can be away. */
function ofOneKey() {
  const state = { key: 'good', isAway: false, looks: 0, strangers: 0 };
  const { principalOf } = createAuthentication(async (token) => {
    state.looks += 1;
    if (state.isAway) throw new Error('away');
    return token === state.key ? ADA : undefined;
  });
  const ask = (token: string) => principalOf(`Bearer ${token}`, () => void (state.strangers += 1));
  return { state, ask };
}

describe('who is known', () => {
  it('is looked up once in 4 s, and is a stranger the first time alone', async () => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
    try {
      const { state, ask } = ofOneKey();
      expect(await ask('good')).toEqual(ADA);
      await ask('good');
      expect(state).toMatchObject({ looks: 1, strangers: 1 });
      jest.advanceTimersByTime(4_001);
      await Promise.all([ask('good'), ask('good')]);
      expect(state).toMatchObject({ looks: 2, strangers: 1 });
    } finally {
      jest.useRealTimers();
    }
  });

  it('stays known whatever strangers show, and so is let in during their flood', async () => {
    const { state, ask } = ofOneKey();
    await ask('good');
    for (let turn = 0; turn < 10_001; turn += 1)
      await expect(ask(`made-up-${turn}`)).rejects.toThrow('expired or revoked');
    expect(state.strangers).toBe(10_002);
    await ask('good');
    expect(state).toMatchObject({ looks: 10_002, strangers: 10_002 });
  });

  it('becomes a stranger when the key is revoked, and not when nobody can be asked', async () => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
    try {
      const { state, ask } = ofOneKey();
      await ask('good');
      jest.advanceTimersByTime(4_001);
      state.isAway = true;
      await expect(ask('good')).rejects.toThrow('away');
      state.isAway = false;
      expect(await ask('good')).toEqual(ADA);
      expect(state.strangers).toBe(1);
      state.key = 'another';
      jest.advanceTimersByTime(4_001);
      await expect(ask('good')).rejects.toThrow('expired or revoked');
      await expect(ask('good')).rejects.toThrow('expired or revoked');
      expect(state).toMatchObject({ strangers: 2 });
    } finally {
      jest.useRealTimers();
    }
  });
});
