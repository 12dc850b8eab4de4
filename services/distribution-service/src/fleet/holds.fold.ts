import type { HeldBack, TypesHint } from '@baton/contracts';
import type { Fleet } from './fleet.state.js';

/** Whether tasks of a type are not to be proposed now, as far as is known. */
export function isHeldBack({ heldBack }: Fleet, type: string): boolean {
  return heldBack.all || heldBack.types.get(type) === 0;
}

/** All that is held back, as task-service tells. Says whether something is free again. */
export function applyHeldBack(fleet: Fleet, { all, types }: HeldBack): boolean {
  const { heldBack } = fleet;
  const now = new Map(types.map((type) => [type, 0]));
  const isFreed = (heldBack.all && !all) || [...heldBack.types.keys()].some((type) => !now.has(type));
  fleet.heldBack = { all, types: now };
  return isFreed;
}

/** A proposal was refused for the sake of its type: nothing more of it until there is news. */
export function holdBack({ heldBack }: Fleet, type: string): void {
  heldBack.types.set(type, 0);
}

/** A task of the type was proposed: where but few may be, one fewer now. */
export function spend({ heldBack }: Fleet, type: string): void {
  const room = heldBack.types.get(type);
  if (room !== undefined) heldBack.types.set(type, Math.max(0, room - 1));
}

/** So many more tasks of types of limited concurrency may be proposed. Says whether any of them was held back. */
export function applyRoom({ heldBack }: Fleet, { room }: Pick<TypesHint, 'room'>): boolean {
  let isFreed = false;
  for (const { type, count } of room) {
    const known = heldBack.types.get(type);
    if (known === undefined) continue;
    heldBack.types.set(type, known + count);
    isFreed = true;
  }
  return isFreed;
}
