import { expect, it } from '@jest/globals';
import { selfTimeByFunction, selfTimeByPackage, type CpuProfile } from './cpu-profile.js';

const checkout = '/home/me/baton';
const frame = (functionName: string, url: string, lineNumber = 0) => ({ functionName, url, lineNumber });
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)', '') },
    { id: 2, callFrame: frame('decide', `file://${checkout}/services/task-service/dist/decide.js`, 9) },
    { id: 3, callFrame: frame('query', `file://${checkout}/node_modules/pg/lib/client.js`, 4) },
    { id: 4, callFrame: frame('', 'node:internal/streams/writable', 1) },
    { id: 5, callFrame: frame('query', `file://${checkout}/node_modules/pg/lib/client.js`, 4) },
    { id: 6, callFrame: frame('writev', '') },
  ],
  samples: [1, 2, 3, 4, 5, 6, 1],
  timeDeltas: [0, 1_000, 40, 30, 20, 15, 10],
};

it('adds self time by function over all places it was called from, without idle time', () => {
  expect(selfTimeByFunction(profile, checkout)).toEqual([
    ['query  pg/lib/client.js:5', 45],
    ['decide  services/task-service/dist/decide.js:10', 40],
    ['(anonymous)  node:internal/streams/writable:2', 20],
    ['writev', 10],
  ]);
});

it('adds self time by package', () => {
  expect(selfTimeByPackage(profile, checkout)).toEqual([
    ['pg', 45],
    ['services/task-service', 40],
    ['node:streams', 20],
    ['(native)', 10],
  ]);
});
