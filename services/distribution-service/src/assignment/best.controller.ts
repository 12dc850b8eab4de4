import { Replies } from '@baton/bus';
import { bestRequest, parse, QUEUE_GROUPS, SERVICE_SUBJECTS } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { FleetService } from '../fleet/fleet.service.js';
import { AssignmentService } from './assignment.service.js';
import { tasksFor } from './best.decide.js';

/** Answers which of some tasks an agent would get. */
@Controller()
export class BestController {
  constructor(
    private readonly fleetService: FleetService,
    private readonly assignments: AssignmentService,
  ) {}

  @Replies(SERVICE_SUBJECTS.best, { queue: QUEUE_GROUPS.distribution })
  async best(body: unknown) {
    const { agentId, tasks } = parse(bestRequest, body, SERVICE_SUBJECTS.best);
    const now = this.fleetService.clock.now();
    return { best: tasksFor((task) => this.assignments.viewFor(task), agentId, tasks, now) };
  }
}
