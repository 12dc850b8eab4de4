import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shardOf } from '@baton/contracts';
import { agentIn, fleetEntry, fleetOf, leasesOf } from '../../test/factories.js';
import { applyHint } from '../fleet/fleet.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { applyLeases } from '../shards/ownership.fold.js';
import { agentHeard, beatReturned, beatSent, createPresence, noteSweep } from './presence.fold.js';
import { isBeatWanted, silentAgents, startOver } from './presence.fold.js';

type Happening = {
  /** Which agents beat at this time, and how long that takes to arrive. */
  readonly beats?: (now: number) => readonly string[];
  readonly lag?: (now: number) => number;
  /** Milliseconds the own beat sent now takes to come back; undefined when it never does. */
  readonly echo?: (now: number) => number | undefined;
  /** Whether the process is stopped at this time. */
  readonly stalled?: (now: number) => boolean;
  readonly reconnectAt?: number;
};

const STEP = 250;

/** Runs sweeps every 250 ms, own beats every second and agents' beats every two; answers when who was found. */
function run(fleet: Fleet, until: number, happening: Happening): Map<string, number> {
  const presence = createPresence(0);
  const found = new Map<string, number>();
  let arriving: { readonly at: number; readonly handle: (now: number) => void }[] = [];
  for (let now = 0; now <= until; now += STEP) {
    if (now % 2_000 === 0) {
      const agents = (happening.beats?.(now) ?? []).map((id) => agentIn(fleet, id));
      const handle = (at: number) => agents.forEach((agent) => agentHeard(presence, agent, at));
      arriving.push({ at: now + (happening.lag?.(now) ?? 0), handle });
    }
    if (happening.stalled?.(now) === true) continue;
    if (now === happening.reconnectAt) startOver(presence, now);
    if (now % 1_000 === 0) sendOwnBeat(now);
    for (const { at, handle } of arriving) if (at <= now) handle(now);
    arriving = arriving.filter(({ at }) => at > now);
    noteSweep(presence, now);
    if (isBeatWanted(fleet, presence, now)) sendOwnBeat(now);
    for (const { agentId } of silentAgents(fleet, presence, now)) {
      if (!found.has(agentId)) found.set(agentId, now);
    }
  }
  return found;

  function sendOwnBeat(sentAt: number): void {
    beatSent(presence, sentAt);
    const delay = happening.echo === undefined ? 1 : happening.echo(sentAt);
    if (delay === undefined) return;
    arriving.push({ at: sentAt + delay, handle: (at) => beatReturned(presence, sentAt, at) });
  }
}

const three = () => fleetOf(fleetEntry('a'), fleetEntry('b'), fleetEntry('c'));
const all = ['a', 'b', 'c'];

describe('silent agents', () => {
  it('are found a sweep after their expiry time, and others are not', () => {
    const found = run(three(), 20_000, { beats: (now) => (now <= 4_000 ? all : ['a', 'c']) });
    expect([...found.keys()]).toEqual(['b']);
    expect(found.get('b')).toBe(10_500);
  });

  it('are found when it is the only agent', () => {
    const fleet = fleetOf(fleetEntry('a'));
    expect(run(fleet, 20_000, { beats: (now) => (now <= 4_000 ? ['a'] : []) }).get('a')).toBe(10_500);
  });

  it('are found when it is all agents at once', () => {
    const found = run(three(), 20_000, { beats: (now) => (now <= 4_000 ? all : []) });
    expect([...found.values()]).toEqual([10_500, 10_500, 10_500]);
  });

  it('are found when they were never heard, a full expiry time after the start', () => {
    expect([...run(three(), 20_000, {}).values()]).toEqual([6_500, 6_500, 6_500]);
  });

  it('are nobody while the own beat does not come back', () => {
    const found = run(three(), 30_000, {
      beats: (now) => (now <= 4_000 ? all : []),
      echo: (now) => (now <= 4_000 ? 1 : undefined),
    });
    expect(found.size).toBe(0);
  });

  it('are nobody when the own beat takes longer than 1.5 s', () => {
    expect(run(three(), 30_000, { echo: () => 1_600 }).size).toBe(0);
  });

  it('are nobody when the broker stood still for longer than the expiry time', () => {
    const paused = (now: number) => now > 4_000 && now < 14_000;
    const found = run(three(), 19_750, {
      beats: (now) => (paused(now) ? [] : all.filter(() => now < 4_001 || now >= 18_000)),
      echo: (now) => (paused(now) ? 14_000 - now : 1),
    });
    expect(found.size).toBe(0);
  });

  it('are nobody as long as no own beat sent after their expiry time came back', () => {
    const fleet = fleetOf(fleetEntry('a', { heartbeatMs: 200, expireMs: 400 }));
    const presence = createPresence(0);
    beatSent(presence, 0);
    beatReturned(presence, 0, 1);
    expect(silentAgents(fleet, presence, 900)).toEqual([]);
    expect(isBeatWanted(fleet, presence, 900)).toBe(true);
    beatSent(presence, 900);
    expect(isBeatWanted(fleet, presence, 1_000)).toBe(false);
    beatReturned(presence, 900, 1_100);
    expect(silentAgents(fleet, presence, 1_100)).toHaveLength(1);
    expect(isBeatWanted(fleet, presence, 1_100)).toBe(false);
  });

  it('get a full expiry time after a stall', () => {
    const found = run(three(), 40_000, {
      beats: (now) => (now <= 4_000 ? all : []),
      stalled: (now) => now > 5_000 && now < 9_000,
    });
    expect([...found.values()]).toEqual([15_500, 15_500, 15_500]);
  });

  it('get a full expiry time after a reconnect', () => {
    const found = run(three(), 40_000, { beats: (now) => (now <= 4_000 ? all : []), reconnectAt: 8_000 });
    expect([...found.values()]).toEqual([14_500, 14_500, 14_500]);
  });

  it('get a full expiry time in a new life, whatever was heard of the old one', () => {
    const fleet = fleetOf(fleetEntry('a'));
    const presence = createPresence(0);
    beatSent(presence, 0);
    beatReturned(presence, 0, 1);
    agentHeard(presence, agentIn(fleet, 'a'), 1_000);
    applyHint(fleet, fleetEntry('a', { epoch: 2 }), 7_000);
    beatReturned(presence, 13_000, 13_000);
    expect(silentAgents(fleet, presence, 13_000)).toEqual([]);
    beatReturned(presence, 13_001, 13_001);
    expect(silentAgents(fleet, presence, 13_001)).toEqual([{ agentId: 'a', epoch: 2, silentMs: 6_001 }]);
  });

  it('include draining agents and leave out those offline already', () => {
    const fleet = fleetOf(fleetEntry('a', { status: 'draining' }), fleetEntry('b', { status: 'offline' }));
    expect([...run(fleet, 10_000, {}).keys()]).toEqual(['a']);
  });

  it('are those of this process alone, and of one taken over only after a full expiry time', () => {
    const fleet = three();
    const others = (shard: number) => (shard === shardOf('b') ? 'self' : 'other');
    applyLeases(fleet, leasesOf(others, 2), 4_000);
    expect([...run(fleet, 20_000, {})]).toEqual([['b', 10_500]]);
    applyLeases(
      fleet,
      leasesOf(() => 'self', 2),
      12_000,
    );
    expect([...run(fleet, 30_000, {})]).toEqual([
      ['b', 10_500],
      ['a', 18_500],
      ['c', 18_500],
    ]);
  });

  it('never include an agent that beats, however the process and the broker stand still', () => {
    const spans = fc.array(fc.tuple(fc.nat(60_000), fc.nat(20_000)), { maxLength: 4 });
    const within = (times: readonly (readonly [number, number])[], now: number) =>
      times.find(([start, length]) => now >= start && now < start + length);
    const goesOnAt = (times: readonly (readonly [number, number])[], now: number): number => {
      const span = within(times, now);
      return span === undefined ? now : goesOnAt(times, span[0] + span[1]);
    };
    fc.assert(
      fc.property(spans, spans, (stalls, pauses) => {
        const found = run(three(), 90_000, {
          beats: () => ['a', 'b'],
          // What the broker kept comes when it goes on, beats of agents a sweep after the own one.
          lag: (now) => (within(pauses, now) === undefined ? 0 : goesOnAt(pauses, now) - now + STEP),
          echo: (now) => goesOnAt(pauses, now) - now + 1,
          stalled: (now) => within(stalls, now) !== undefined,
        });
        expect([...found.keys()].filter((id) => id !== 'c')).toEqual([]);
      }),
    );
  });
});
