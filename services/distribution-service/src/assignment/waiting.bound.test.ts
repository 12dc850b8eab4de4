import { describe, expect, it } from '@jest/globals';
import { PRIORITY_OFFSET_SECONDS, type QueuedTask } from '@baton/contracts';
import fc from 'fast-check';
import { fleetEntry, fleetOf, queuedTask, unload } from '../../test/factories.js';
import { POLICIES } from '../engine/policies.scoring.js';
import { createView, decideTask } from '../engine/task.decide.js';
import { reserve } from '../fleet/slots.fold.js';
import { compareTasks } from './task.order.js';
import { addWaiting, planReading, takePages, tryAhead } from './waiting.fold.js';
import type { WaitingClasses } from './waiting.state.js';

const LOWEST_MS = PRIORITY_OFFSET_SECONDS[5] * 1_000;
// The steps in which time passes: a tenth of what the lowest priority stands behind.
const STEP_MS = LOWEST_MS / 10;

describe('a task of the lowest priority under a flood of the highest', () => {
  it('is overtaken by what came within its offset, and by nothing later', () => {
    const floods = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(floods, fc.boolean(), (flood, isSameClass) => {
        const fleet = fleetOf(fleetEntry('only', { maxConcurrent: 1 }));
        const view = createView(fleet, POLICIES.weighted);
        const { index } = view;
        const waiting: WaitingClasses = new Map();
        const placed: QueuedTask[] = [];
        const queued: QueuedTask[] = [];
        const lowClass = isSameClass ? 'any' : 'low';
        const lowest = queuedTask({ queueKey: LOWEST_MS, backlogClass: lowClass }, { priority: 5 });
        add(lowest, 0);
        const sizeOf = (steps: readonly number[]) => steps.reduce((sum, count) => sum + count, 0);
        const total = sizeOf(flood);
        for (let step = 0; step < total + 1; step += 1) {
          const now = step * STEP_MS;
          for (let count = flood[step] ?? 0; count > 0; count -= 1) {
            add(queuedTask({ queueKey: now }, { priority: 1 }), now);
          }
          unload(fleet, 'only');
          read(now);
        }
        expect(placed).toHaveLength(total + 1);
        expect(placed.indexOf(lowest)).toBeLessThanOrEqual(sizeOf(flood.slice(0, 11)));
        for (const before of placed.slice(0, placed.indexOf(lowest))) {
          expect(before.needs.queueKey).toBeLessThanOrEqual(LOWEST_MS);
        }

        function read(now: number): void {
          const asked = planReading(waiting, index, now);
          takePages(
            waiting,
            asked,
            asked.map((one) => ({
              backlogClass: one.backlogClass,
              tasks: pageOf(one.backlogClass),
              more: false,
            })),
          );
          tryAhead(waiting, index, 0, (task) => {
            const agent = decideTask(view, task, 0)?.agent;
            if (agent === undefined) return 'no_room';
            reserve(fleet, agent, task.id);
            placed.push(task);
            return 'placed';
          });
        }
        /** The database has it, and an event tells of it. */
        function add(task: QueuedTask, now: number): void {
          queued.push(task);
          addWaiting(waiting, task, fleet, now);
        }
        function pageOf(backlogClass: string): QueuedTask[] {
          return queued
            .filter((task) => task.needs.backlogClass === backlogClass && !placed.includes(task))
            .toSorted(compareTasks);
        }
      }),
      { numRuns: 30 },
    );
  });
});
