import { SHARDS } from '@baton/contracts';
import type { FleetAgent } from '../fleet/fleet.state.js';
import { loadOf, roomOf } from '../fleet/slots.fold.js';
import { rateLoad, type Policy } from './policies.scoring.js';

/** An agent among those that can do what is asked. */
export type Member = {
  readonly agent: FleetAgent;
  readonly pool: Pool;
  /** What it is worth whatever its load and whoever asks. */
  rated: number;
  room: number;
  movedAt: number;
  cell: Cell | undefined;
  place: number;
};

/** The members with room that have the same share of their slots taken: a heap, the best first. */
export type Cell = { readonly utilization: number; readonly worth: number; readonly heap: Member[] };

/** Agents that can do what is asked, those with room ordered so that the best few are found at once. */
export type Pool = {
  readonly policy: Policy;
  size: number;
  /** How many have room, and how many slots that is. */
  open: number;
  room: number;
  /** No member is worth more than this by itself. */
  bound: number;
  /** How many have room in each shard that has such. */
  readonly openInShard: Int32Array;
  /** Those with members, by utilization. */
  readonly cells: Cell[];
  readonly known: Map<number, Cell>;
  /** The same by slots taken and slots altogether, which is quicker to look up. */
  readonly bySlots: Map<number, Cell>;
};

// More than any agent may have.
const SLOT_LIMIT = 16_384;

/** A pool of nobody. */
export function createPool(policy: Policy): Pool {
  const counts = { size: 0, open: 0, room: 0, bound: 0, openInShard: new Int32Array(SHARDS) };
  return { policy, ...counts, cells: [], known: new Map(), bySlots: new Map() };
}

/** Takes in an agent. O(log members), as are the next two. */
export function join(pool: Pool, agent: FleetAgent, rated: number): Member {
  const member: Member = { agent, pool, rated, room: 0, movedAt: 0, cell: undefined, place: 0 };
  pool.size += 1;
  update(member, rated);
  return member;
}

/** Puts a member where it belongs after it changed. */
export function update(member: Member, rated: number): void {
  const { agent, pool } = member;
  const room = roomOf(agent);
  takeOut(member);
  member.rated = rated;
  member.movedAt = agent.movedAt;
  if (rated > pool.bound) pool.bound = rated;
  if (room === 0) return;
  member.room = room;
  pool.room += room;
  pool.open += 1;
  countShard(pool, agent, 1);
  push(cellOf(pool, agent), member);
}

/** Lets an agent go. */
export function leave(member: Member): void {
  takeOut(member);
  member.pool.size -= 1;
}

/**
 * The best members with room that `isWanted`, best first, at most `count`: by worth, then lower utilization, then longest
 * in their cell, then id. It looks at O(count + unwanted better ones + cells that could have one), not at all.
 */
export function bestIn(pool: Pool, count: number, isWanted?: (agent: FleetAgent) => boolean): Member[] {
  const found: Member[] = [];
  const { cells } = pool;
  const frontier: Member[] = [];
  let opened = 0;
  while (found.length < count) {
    let top = topOf(frontier);
    for (let cell = cells[opened]; cell !== undefined; cell = cells[opened]) {
      const known = frontier[top];
      if (known !== undefined && pool.bound + cell.worth <= worthOf(known)) break;
      opened += 1;
      frontier.push(cell.heap[0] as Member);
      if (known === undefined || isBetter(frontier.at(-1) as Member, known)) top = frontier.length - 1;
    }
    const member = frontier[top];
    if (member === undefined) return found;
    if (isWanted === undefined || isWanted(member.agent)) found.push(member);
    if (found.length < count) replaceByChildren(frontier, top, member);
  }
  return found;
}

/** What a member is worth with its load, whoever asks. */
export function worthOf(member: Member): number {
  return member.rated + (member.cell?.worth ?? 0);
}

function topOf(frontier: readonly Member[]): number {
  let top = 0;
  for (let index = 1; index < frontier.length; index += 1) {
    if (isBetter(frontier[index] as Member, frontier[top] as Member)) top = index;
  }
  return top;
}

function replaceByChildren(frontier: Member[], at: number, { cell, place }: Member): void {
  const heap = cell?.heap ?? [];
  const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]];
  if (left === undefined) {
    const last = frontier.pop() as Member;
    if (at < frontier.length) frontier[at] = last;
    return;
  }
  frontier[at] = left;
  if (right !== undefined) frontier.push(right);
}

/** Whether one member comes before another of the pool. The order is total. */
function isBetter(one: Member, other: Member): boolean {
  if (one.cell === other.cell) return precedes(one, other);
  const difference = worthOf(one) - worthOf(other);
  if (difference !== 0) return difference > 0;
  return (one.cell?.utilization ?? 0) < (other.cell?.utilization ?? 0);
}

function precedes(one: Member, other: Member): boolean {
  if (one.rated !== other.rated) return one.rated > other.rated;
  if (one.movedAt !== other.movedAt) return one.movedAt < other.movedAt;
  return one.agent.id < other.agent.id;
}

function cellOf(pool: Pool, agent: FleetAgent): Cell {
  const key = agent.maxConcurrent * SLOT_LIMIT + loadOf(agent);
  let cell = pool.bySlots.get(key);
  if (cell === undefined) {
    const utilization = loadOf(agent) / agent.maxConcurrent;
    cell = pool.known.get(utilization) ?? {
      utilization,
      worth: rateLoad(pool.policy, utilization),
      heap: [],
    };
    pool.known.set(utilization, cell);
    pool.bySlots.set(key, cell);
  }
  if (cell.heap.length === 0) addCell(pool, cell);
  return cell;
}

function addCell({ cells }: Pool, cell: Cell): void {
  let place = cells.length;
  while (place > 0 && (cells[place - 1] as Cell).utilization > cell.utilization) place -= 1;
  cells.splice(place, 0, cell);
}

function takeOut(member: Member): void {
  const { cell, place, pool, agent } = member;
  if (cell === undefined) return;
  countShard(pool, agent, -1);
  pool.room -= member.room;
  pool.open -= 1;
  member.room = 0;
  member.cell = undefined;
  const last = cell.heap.pop() as Member;
  if (last !== member) {
    set(cell.heap, last, place);
    if (!rise(cell.heap, last)) sink(cell.heap, last);
  } else if (cell.heap.length === 0) pool.cells.splice(pool.cells.indexOf(cell), 1);
}

function countShard({ openInShard }: Pool, { shard }: FleetAgent, difference: number): void {
  openInShard[shard] = (openInShard[shard] ?? 0) + difference;
}

function push(cell: Cell, member: Member): void {
  member.cell = cell;
  set(cell.heap, member, cell.heap.length);
  rise(cell.heap, member);
}

function rise(heap: Member[], member: Member): boolean {
  const from = member.place;
  let place = from;
  while (place > 0) {
    const parent = heap[(place - 1) >> 1] as Member;
    if (!precedes(member, parent)) break;
    set(heap, parent, place);
    place = (place - 1) >> 1;
  }
  set(heap, member, place);
  return place !== from;
}

function sink(heap: Member[], member: Member): void {
  let { place } = member;
  for (let child = 2 * place + 1; child < heap.length; child = 2 * place + 1) {
    const right = heap[child + 1];
    if (right !== undefined && precedes(right, heap[child] as Member)) child += 1;
    const next = heap[child] as Member;
    if (!precedes(next, member)) break;
    set(heap, next, place);
    place = child;
  }
  set(heap, member, place);
}

function set(heap: Member[], member: Member, place: number): void {
  heap[place] = member;
  member.place = place;
}
