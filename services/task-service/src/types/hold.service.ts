import type { Bus } from '@baton/bus';
import { HINT_SUBJECTS, type HeldBack, type TypesHint, type Waiting } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { isHeld } from '../tasks/task.state.js';
import type { CommitListener, Committed } from '../write-path/submission.js';
import { findFull } from './type.store.js';
import type { TypeRegistry } from './type.registry.js';

const NOTHING: HeldBack = { all: false, types: [] };

/**
 * What is held back from distribution. What is told here saves distributors from asking in vain; that nothing held
 * back is assigned is seen to under lock.
 */
export class HoldService implements Pick<CommitListener, 'committed'> {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly registry: TypeRegistry,
  ) {}

  /** Whether an assignment must look whether its type is held back. */
  get any(): boolean {
    return this.registry.holdsBack;
  }

  /** Costs nothing where no type is paused or limited, else a short range of an index for each limited one. */
  async now(): Promise<HeldBack> {
    if (!this.any) return NOTHING;
    const { all } = this.registry;
    const paused = all.filter((type) => type.paused).map(({ type }) => type);
    const limited = all.flatMap(({ type, paused: isPaused, maxConcurrent }) =>
      maxConcurrent === null || isPaused ? [] : [{ type, maxConcurrent }],
    );
    const full = limited.length === 0 ? [] : await findFull(this.pool, limited);
    return { all: this.registry.pause !== null, types: [...paused, ...full] };
  }

  /** Why a ready task is not distributed, if it is held back. */
  async whyHeldBack(type: string): Promise<Waiting | undefined> {
    const { pause } = this.registry;
    if (pause !== null) {
      const evidence = { scope: 'everything', ...pause };
      return { reason: 'PAUSED', evidence, nextStep: 'Let distribution go on: POST /v1/resume' };
    }
    const found = this.registry.all.find((summary) => summary.type === type);
    if (found?.paused) {
      const nextStep = `Let the type go on: PUT /v1/types/${type} with "paused": false`;
      return { reason: 'PAUSED', evidence: { scope: 'type', type }, nextStep };
    }
    const { maxConcurrent = null } = found ?? {};
    if (maxConcurrent === null || (await findFull(this.pool, [{ type, maxConcurrent }])).length === 0)
      return undefined;
    const nextStep = 'Wait until an agent is done with one of them, or raise maxConcurrent of the type';
    return { reason: 'TYPE_AT_CAPACITY', evidence: { type, maxConcurrent }, nextStep };
  }

  /** Distributors hear at once that there is room again: they would notice within a second. */
  committed(changes: readonly Committed[]): void {
    if (!this.any) return;
    const limited = new Set(
      this.registry.all.filter((type) => type.maxConcurrent !== null).map(({ type }) => type),
    );
    const counts = new Map<string, number>();
    for (const { before, after } of changes) {
      const isFreed = before !== undefined && isHeld(before.status) && !isHeld(after.status);
      if (isFreed && limited.has(after.type)) counts.set(after.type, (counts.get(after.type) ?? 0) + 1);
    }
    if (counts.size === 0) return;
    const room = [...counts].map(([type, count]) => ({ type, count }));
    this.bus.publishHint(HINT_SUBJECTS.types, { changed: false, room } satisfies TypesHint);
  }
}
