import { Replies } from '@baton/bus';
import {
  choiceRequest,
  DomainError,
  explainRequest,
  parse,
  QUEUE_GROUPS,
  SERVICE_SUBJECTS,
  type Choice,
  type QueuedTask,
  type Waiting,
} from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { FleetService } from '../fleet/fleet.service.js';
import { SnapshotService } from '../fleet/snapshot.service.js';
import { AssignmentService } from './assignment.service.js';
import { chooseForTask, explainWaiting } from './choice.decide.js';

const queue = QUEUE_GROUPS.distribution;

/** Answers who would get one task, or why nobody does. Nothing is proposed: task-service binds what it asked for. */
@Controller()
export class ChoiceController {
  constructor(
    private readonly fleetService: FleetService,
    private readonly snapshots: SnapshotService,
    private readonly assignments: AssignmentService,
  ) {}

  @Replies(SERVICE_SUBJECTS.choose, { queue })
  async assign(body: unknown): Promise<Choice> {
    return this.choose(body, SERVICE_SUBJECTS.choose);
  }

  @Replies(SERVICE_SUBJECTS.simulate, { queue })
  async simulate(body: unknown): Promise<Choice> {
    return this.choose(body, SERVICE_SUBJECTS.simulate);
  }

  @Replies(SERVICE_SUBJECTS.explain, { queue })
  async explain(body: unknown): Promise<Waiting> {
    const { task } = parse(explainRequest, body, SERVICE_SUBJECTS.explain);
    return explainWaiting(this.viewFor(task), task, this.fleetService.clock.now());
  }

  private choose(body: unknown, subject: string): Choice {
    const { task, ...which } = parse(choiceRequest, body, subject);
    const startedAt = performance.now();
    const { decision, waiting } = chooseForTask(
      this.viewFor(task),
      task,
      this.fleetService.clock.now(),
      which,
    );
    if (decision === null) return { decision, waiting };
    return { decision: { ...decision, tookMicros: (performance.now() - startedAt) * 1_000 }, waiting };
  }

  /** What is not known yet must not be told as the reason. */
  private viewFor(task: Pick<QueuedTask, 'needs'>) {
    if (this.snapshots.isComplete) return this.assignments.viewFor(task);
    throw new DomainError('UNAVAILABLE', 'This distributor has not read the agents yet', {
      retryAfterMs: 1_000,
    });
  }
}
