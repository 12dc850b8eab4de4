import { Replies } from '@baton/bus';
import { explainRequest, parse, QUEUE_GROUPS, SERVICE_SUBJECTS, type Waiting } from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { FleetService } from '../fleet/fleet.service.js';
import { explainWaiting } from './explain.decide.js';

/** Answers why a queued task waits. */
@Controller()
export class ExplainController {
  constructor(private readonly fleetService: FleetService) {}

  @Replies(SERVICE_SUBJECTS.explain, { queue: QUEUE_GROUPS.distribution })
  async explain(body: unknown): Promise<Waiting> {
    const { fleet, clock } = this.fleetService;
    const { task } = parse(explainRequest, body, SERVICE_SUBJECTS.explain);
    return explainWaiting(fleet, task, clock.now());
  }
}
