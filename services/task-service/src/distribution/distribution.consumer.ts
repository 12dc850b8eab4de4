import { Replies, type BusContext } from '@baton/bus';
import {
  assignRequest,
  backlogRequest,
  expireRequest,
  forgottenRequest,
  leaseRequest,
  parse,
  QUEUE_GROUPS,
  SERVICE_SUBJECTS,
  snapshotRequest,
} from '@baton/contracts';
import { Controller } from '@nestjs/common';
import { SessionService } from '../agents/session.service.js';
import { LeaseService } from '../shards/lease.service.js';
import { DistributionService } from './distribution.service.js';

const queue = QUEUE_GROUPS.task;

@Controller()
export class DistributionConsumer {
  constructor(
    private readonly distribution: DistributionService,
    private readonly sessions: SessionService,
    private readonly leases: LeaseService,
  ) {}

  @Replies(SERVICE_SUBJECTS.assign, { queue })
  assign(body: unknown, { traceparent }: BusContext) {
    return this.distribution.assign(parse(assignRequest, body, SERVICE_SUBJECTS.assign), traceparent);
  }

  @Replies(SERVICE_SUBJECTS.backlog, { queue })
  backlog(body: unknown) {
    return this.distribution.backlog(parse(backlogRequest, body, SERVICE_SUBJECTS.backlog));
  }

  @Replies(SERVICE_SUBJECTS.snapshot, { queue })
  snapshot(body: unknown) {
    return this.distribution.snapshot(parse(snapshotRequest, body, SERVICE_SUBJECTS.snapshot));
  }

  @Replies(SERVICE_SUBJECTS.forgotten, { queue })
  forgotten(body: unknown) {
    return this.distribution.forgotten(parse(forgottenRequest, body, SERVICE_SUBJECTS.forgotten));
  }

  @Replies(SERVICE_SUBJECTS.expire, { queue })
  expire(body: unknown) {
    return this.sessions.expire(parse(expireRequest, body, SERVICE_SUBJECTS.expire));
  }

  @Replies(SERVICE_SUBJECTS.lease, { queue })
  lease(body: unknown) {
    return this.leases.lease(parse(leaseRequest, body, SERVICE_SUBJECTS.lease));
  }
}
