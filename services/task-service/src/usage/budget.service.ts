import type { Bus } from '@baton/bus';
import { HINT_SUBJECTS, QUEUE_GROUPS, usageHint } from '@baton/contracts';
import type { DatabaseClock } from '@baton/runtime';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { overspent } from './budget.decide.js';
import { findBudgetsAtWork, findHeldOfTree, findSpending } from './usage.store.js';

/** Trees looked at together. */
const TREES = 100;

/**
 * Ends the running work of trees that used more than their budget: when usage is told, and, for what a lost hint or a
 * deadline left, when the reconciler asks.
 */
export class BudgetService {
  private readonly waiting = new Set<string>();
  private checking: Promise<void> | undefined;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly writePath: WritePath,
    private readonly clock: DatabaseClock,
    private readonly logger: Logger,
  ) {}

  /** Listens to what is told of usage; one replica hears each. */
  start(): void {
    const hear = (body: unknown) => this.heard(body);
    this.unsubscribe = this.bus.subscribe(HINT_SUBJECTS.usage, hear, { queue: QUEUE_GROUPS.task });
  }

  /** Hears nothing more; resolves when what was heard is done. */
  async stop(): Promise<void> {
    this.unsubscribe?.();
    await this.checking;
  }

  /** Looks at every tree with a budget that somebody works in; says how many tasks were ended. */
  async checkAll(): Promise<number> {
    return this.check(await findBudgetsAtWork(this.pool));
  }

  private heard(body: unknown): void {
    const hint = usageHint.safeParse(body);
    for (const { rootTaskId, hasBudget } of hint.data ?? []) if (hasBudget) this.waiting.add(rootTaskId);
    if (this.waiting.size > 0) this.checking ??= this.checkWaiting();
  }

  /** What is told while trees are looked at goes together in the next look. */
  private async checkWaiting(): Promise<void> {
    while (this.waiting.size > 0) {
      const roots = [...this.waiting];
      this.waiting.clear();
      try {
        await this.check(roots);
      } catch (error) {
        this.logger.warn({ error: String(error) }, 'budgets could not be checked; the reconciler will');
      }
    }
    this.checking = undefined;
  }

  private async check(roots: readonly string[]): Promise<number> {
    let ended = 0;
    for (let done = 0; done < roots.length; done += TREES) {
      const spending = await findSpending(this.pool, roots.slice(done, done + TREES));
      for (const tree of spending.values()) {
        const reason = overspent(tree, this.clock.now());
        if (reason !== undefined) ended += await this.end(tree.rootTaskId, reason);
      }
    }
    return ended;
  }

  /** Children before their parents: what follows a parent that failed would be called off before its own stop. */
  private async end(root: string, reason: string): Promise<number> {
    let ended = 0;
    for (const level of await findHeldOfTree(this.pool, root)) ended += await this.endAll(level, reason);
    return ended;
  }

  private async endAll(taskIds: readonly string[], reason: string): Promise<number> {
    const settled = await Promise.all(
      taskIds.map((taskId) =>
        this.writePath.submit({
          command: { kind: 'stop', taskId, reason },
          actor: 'system:budget',
          traceparent: null,
          commandId: null,
          bytes: 0,
          background: true,
        }),
      ),
    );
    return settled.filter((outcome) => !(outcome instanceof Error)).length;
  }
}
