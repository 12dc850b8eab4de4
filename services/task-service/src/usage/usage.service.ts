import type { Bus } from '@baton/bus';
import { HINT_SUBJECTS } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { saveUsage, type ToldUsage } from './usage.store.js';

/** Keeps what agents say they used up. Bookkeeping beside the write path: it changes no task. */
export class UsageService {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
  ) {}

  /**
   * Keeps what was told, whatever becomes of the message it came with, where the agent had the attempt. To be waited
   * for before the message is answered: an agent repeats what it got no answer to.
   */
  async keep(agentId: string, told: readonly (ToldUsage | undefined)[]): Promise<void> {
    const given = told.filter((one) => one !== undefined);
    if (given.length === 0) return;
    const changed = await saveUsage(this.pool, agentId, given);
    if (changed.length > 0) this.bus.publishHint(HINT_SUBJECTS.usage, changed);
  }
}
