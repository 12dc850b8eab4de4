import { BUS, type Bus } from '@baton/bus';
import { LIMITS, placeAnswer, placeSubject, type PlaceRequest, type QueuedTask } from '@baton/contracts';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AssignmentService } from '../assignment/assignment.service.js';
import { passedOnTotal } from '../distribution.metrics.js';
import { FleetService } from '../fleet/fleet.service.js';
import { LOGGER } from '../logger.js';
import { askTaskService } from '../task-service.client.js';
import { chooseNeighbour, type Asked } from './neighbours.decide.js';

const NEIGHBOURS = 2;
const TIMEOUT_MS = 2_000;

type Group = { readonly shard: number; readonly tasks: QueuedTask[] };

/** Asks other distributors to place what finds no room among the agents of this one. */
@Injectable()
export class NeighboursService {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly assignments: AssignmentService,
  ) {}

  /**
   * Asks for each task the neighbour with the best agent that seems to have room, then a second one. Resolves with
   * those nobody placed; without a request where no agent of a neighbour has room. Never rejects.
   */
  async place(tasks: readonly QueuedTask[]): Promise<readonly QueuedTask[]> {
    let left = tasks;
    const neighbours: Asked['neighbours'] = new Map();
    for (let round = 0; round < NEIGHBOURS && left.length > 0; round += 1) {
      const groups = this.group(left, { tasks: new Map(), neighbours });
      if (groups.length === 0) break;
      const placed = new Set((await Promise.all(groups.map((group) => this.ask(group)))).flat());
      left = left.filter(({ id }) => !placed.has(id));
    }
    return left;
  }

  /** One request for each neighbour, by a shard of its best agent. */
  private group(tasks: readonly QueuedTask[], asked: Asked): readonly Group[] {
    const groups = new Map<string, Group>();
    const now = this.fleetService.clock.now();
    for (const task of tasks) {
      const choice = chooseNeighbour(this.assignments.viewFor(task), task, asked, now);
      if (choice === undefined) continue;
      const group = groups.get(choice.neighbour) ?? { shard: choice.agent.shard, tasks: [] };
      groups.set(choice.neighbour, group);
      if (group.tasks.length < LIMITS.agentItems) group.tasks.push(task);
    }
    return [...groups.values()];
  }

  private async ask({ shard, tasks }: Group): Promise<readonly string[]> {
    const request: PlaceRequest = { tasks };
    try {
      const options = { answer: placeAnswer, timeoutMs: TIMEOUT_MS };
      const { placed } = await askTaskService(this.bus, placeSubject(shard), request, options);
      passedOnTotal.inc({ outcome: 'placed' }, placed.length);
      passedOnTotal.inc({ outcome: 'not_placed' }, tasks.length - placed.length);
      return placed;
    } catch (error) {
      // It may have placed them nevertheless; then the next try here finds them taken.
      passedOnTotal.inc({ outcome: 'unanswered' }, tasks.length);
      this.logger.debug({ shard, error: String(error) }, 'a neighbour did not answer');
      return [];
    }
  }
}
