import type { Bus } from '@baton/bus';
import {
  authCheckAnswer,
  DomainError,
  eventsAnswer,
  parse,
  refusal,
  SERVICE_SUBJECTS,
  snapshotAnswer,
  type EventsAnswer,
  type EventsRequest,
  type SnapshotAnswer,
  type SnapshotRequest,
  type Principal,
} from '@baton/contracts';
import type { z } from 'zod';

const ASK_TIMEOUT_MS = 10_000;

/** What is asked of task-service. Rejects with what it refuses, and with `UNAVAILABLE` when it does not answer. */
export class TaskServiceClient {
  constructor(private readonly bus: Pick<Bus, 'request'>) {}

  events(request: EventsRequest): Promise<EventsAnswer> {
    return this.ask(SERVICE_SUBJECTS.events, request, eventsAnswer);
  }

  snapshot(request: SnapshotRequest): Promise<SnapshotAnswer> {
    return this.ask(SERVICE_SUBJECTS.snapshot, request, snapshotAnswer);
  }

  /** Whom a key or token stands for. */
  async check(token: string): Promise<Principal | undefined> {
    const { principal } = await this.ask(SERVICE_SUBJECTS.check, { token }, authCheckAnswer);
    return principal ?? undefined;
  }

  private async ask<T>(subject: string, request: object, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.bus.request(subject, request, { timeoutMs: ASK_TIMEOUT_MS });
    const refused = refusal.safeParse(answer);
    if (refused.success) throw new DomainError(refused.data.error.code, refused.data.error.message);
    return parse(schema, answer, `the answer of ${subject}`);
  }
}
