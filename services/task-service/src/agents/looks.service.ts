import { callDecision, callHistory, callWait, LIMITS, parse, type TaskHistoryEntry } from '@baton/contracts';
import type { AccessService } from '../access/access.service.js';
import type { DecisionService } from '../tasks/decision.service.js';
import type { TaskReading } from '../tasks/task.reading.service.js';
import type { WatchService } from '../watching/watch.service.js';
import type { Request } from './calls.service.js';

/** Leaves room for the rest of the answer. */
const HISTORY_BYTES = LIMITS.agentMessageBytes - 4 * 1024;
const NOBODY_LEAVES = new AbortController().signal;

/** How an agent follows tasks it may see: what it is not related to does not exist for it. */
export class LooksService {
  constructor(
    private readonly access: AccessService,
    private readonly reading: TaskReading,
    private readonly decisions: DecisionService,
    private readonly watches: WatchService,
  ) {}

  async wait({ agentId, body }: Request) {
    const { taskId, timeoutMs } = parse(callWait, body, 'wait');
    await this.access.expectAgent(agentId, 'task.read', taskId);
    const ended = await this.watches.untilEnded(taskId, timeoutMs, NOBODY_LEAVES);
    return { ok: true, ended, task: await this.reading.get(taskId) };
  }

  /** From `after` on as many entries as fit into a message, one at least. */
  async history({ agentId, body }: Request) {
    const { taskId, after } = parse(callHistory, body, 'history');
    await this.access.expectAgent(agentId, 'task.read', taskId);
    const data: TaskHistoryEntry[] = [];
    let room = HISTORY_BYTES;
    for (const entry of await this.reading.history(taskId, after)) {
      room -= Buffer.byteLength(JSON.stringify(entry));
      if (room < 0 && data.length > 0) break;
      data.push(entry);
    }
    return { ok: true, data };
  }

  async decision({ agentId, body }: Request) {
    const { taskId } = parse(callDecision, body, 'decision');
    await this.access.expectAgent(agentId, 'task.read', taskId);
    return { ok: true, ...(await this.decisions.of(taskId)) };
  }
}
