import type { FleetEvent, SnapshotAnswer } from '@baton/contracts';
import type { TaskServiceClient } from '../task-service.client.js';
import type { CapacityStep, CapacityStore } from './capacity.store.js';

/** Follows how many slots each agent has while it is online. */
export class CapacityService {
  constructor(
    private readonly store: Pick<CapacityStore, 'save' | 'saveDiffering'>,
    private readonly tasks: Pick<TaskServiceClient, 'snapshot'>,
  ) {}

  /** Resolves when it is kept. */
  async follow(events: readonly FleetEvent[]): Promise<void> {
    const steps = events.flatMap(({ subject: agent, time: at, type, data }): readonly CapacityStep[] =>
      'maxConcurrent' in data ? [{ agent, at, slots: type === 'fleet.removed' ? 0 : slotsOf(data) }] : [],
    );
    if (steps.length > 0) await this.store.save(steps);
  }

  /** What the stream did not bring shows in a snapshot; when it happened is lost, so it counts from now. */
  async heal(): Promise<void> {
    for (let after: string | null | undefined; after !== null;) {
      const page: SnapshotAnswer = await this.tasks.snapshot(after === undefined ? {} : { after });
      const at = page.now ?? new Date().toISOString();
      await this.store.saveDiffering(
        page.agents.map((entry) => ({ agent: entry.agentId, at, slots: slotsOf(entry) })),
      );
      after = page.next;
    }
  }
}

function slotsOf({
  status,
  maxConcurrent,
}: {
  readonly status: string;
  readonly maxConcurrent: number;
}): number {
  return status === 'offline' ? 0 : maxConcurrent;
}
