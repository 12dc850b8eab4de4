import type { Bus } from '@baton/bus';
import {
  agentSubject,
  LIMITS,
  offerAnswer,
  type Assignment,
  type ChildResult,
  type OfferAnswer,
} from '@baton/contracts';
import { ATTRIBUTES, inSpan } from '@baton/telemetry';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import type { Task } from '../tasks/task.js';
import type { CommitListener, Committed } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import * as store from './offer.store.js';

/** Agents answer within 4 s: later answers are dropped by the server between the accounts. */
const ANSWER_MS = 4_000;

type Pending = store.OfferTarget & { readonly isRepeated: boolean };

/**
 * Offers committed assignments to their agents. Assignments that are committed while offers are being read go
 * together in the next round: one read for all, one message for each agent.
 */
export class OfferService implements Pick<CommitListener, 'committed' | 'offerAgain'> {
  private pending: Pending[] = [];
  private running: Promise<void> | undefined;
  private readonly sending = new Set<Promise<void>>();
  private stopped = false;

  constructor(
    private readonly bus: Bus,
    private readonly pool: Pool,
    private readonly writePath: WritePath,
    private readonly logger: Logger,
  ) {}

  committed(changes: readonly Committed[]): void {
    for (const { before, after, decision } of changes) {
      if (after.status !== 'assigned' || before?.attempt === after.attempt) continue;
      this.pending.push({ taskId: after.id, attempt: after.attempt, decision, isRepeated: false });
    }
    this.wake();
  }

  offerAgain(tasks: readonly Task[]): void {
    for (const { id, attempt } of tasks) {
      this.pending.push({ taskId: id, attempt, decision: null, isRepeated: true });
    }
    this.wake();
  }

  /** What an agent holds, to be told at its hello: as much as fits one message; the rest is offered. */
  async assignmentsOf(
    targets: readonly { taskId: string; attempt: number }[],
  ): Promise<readonly Assignment[]> {
    if (targets.length === 0) return [];
    const offers = await store.loadOffers(this.pool, await store.loadDecisions(this.pool, targets));
    const [first, ...rest] = toMessages(offers);
    for (const { task, attempt, decision } of rest.flatMap(({ assignments }) => assignments)) {
      this.pending.push({ taskId: task.id, attempt, decision, isRepeated: true });
    }
    this.wake();
    return first?.assignments ?? [];
  }

  /** Offers nothing more; resolves when what is on its way is answered and what was rejected is submitted. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.pending = [];
    await this.running;
    await Promise.all(this.sending);
  }

  private wake(): void {
    // What is not offered any more comes again by `dueAt`, from whichever replica is alive.
    if (this.stopped) this.pending = [];
    if (this.pending.length > 0) this.running ??= this.run();
  }

  /** Ends in the very step that finds nothing pending: what came between that and a later one would wait for `dueAt`. */
  private async run(): Promise<void> {
    while (this.pending.length > 0) {
      const round = this.pending;
      this.pending = [];
      try {
        await this.offer(round);
      } catch (error) {
        // Unanswered assignments come again by `dueAt`, whichever replica is alive.
        this.logger.warn({ offers: round.length, error: String(error) }, 'offers could not be read');
      }
    }
    this.running = undefined;
  }

  private async offer(round: readonly Pending[]): Promise<void> {
    const repeated = round.filter(({ isRepeated }) => isRepeated);
    const known = round.filter(({ isRepeated }) => !isRepeated);
    const targets =
      repeated.length === 0 ? known : [...known, ...(await store.loadDecisions(this.pool, repeated))];
    const repeatedIds = new Set(repeated.map(({ taskId }) => taskId));
    const byAgent = new Map<string, store.LoadedOffer[]>();
    for (const offer of await store.loadOffers(this.pool, targets)) {
      const list = byAgent.get(offer.agentId);
      if (list === undefined) byAgent.set(offer.agentId, [offer]);
      else list.push(offer);
    }
    for (const [agentId, offers] of byAgent) {
      for (const message of toMessages(offers)) {
        const plan = planOf(agentId, message);
        const sent = inSpan(plan, () => this.send(agentId, message, repeatedIds)).finally(() =>
          this.sending.delete(sent),
        );
        this.sending.add(sent);
      }
    }
  }

  private async send(
    agentId: string,
    { assignments, body }: OfferMessage,
    repeatedIds: ReadonlySet<string>,
  ): Promise<void> {
    const answer = await this.ask(agentId, body);
    if (answer === undefined) return;
    const attempts = new Map(assignments.map(({ task, attempt }) => [task.id, attempt]));
    const targets = (ids: readonly string[]) =>
      ids.flatMap((taskId) => {
        const attempt = attempts.get(taskId);
        return attempt === undefined ? [] : [{ taskId, attempt }];
      });
    const accepted = targets(answer.accepted.filter((id) => repeatedIds.has(id)));
    try {
      if (accepted.length > 0) await store.acceptOffers(this.pool, accepted);
    } catch (error) {
      this.logger.warn(
        { agent_id: agentId, error: String(error) },
        'answered offers not noted; they come again',
      );
    }
    for (const { taskId, attempt } of targets(answer.rejected.map((rejection) => rejection.taskId))) {
      // An agent that has no room for what it was given: elsewhere at once, not after a timeout.
      void this.writePath.submit({
        command: { kind: 'expire', taskId, agentId, attempt, deadEpoch: -1 },
        actor: `agent:${agentId}`,
        traceparent: null,
        commandId: null,
        bytes: 0,
      });
    }
  }

  /** Nothing when the agent did not answer, or not as expected: the assignment is offered again when due. */
  private async ask(agentId: string, body: string): Promise<OfferAnswer | undefined> {
    try {
      const answer = await this.bus.requestText(agentSubject.offer(agentId), body, { timeoutMs: ANSWER_MS });
      const parsed = offerAnswer.safeParse(answer);
      if (parsed.success) return parsed.data;
      this.logger.warn({ agent_id: agentId }, 'an agent answered an offer with something else');
    } catch (error) {
      this.logger.debug({ agent_id: agentId, error: String(error) }, 'an offer was not answered');
    }
    return undefined;
  }
}

function asAssignment({ assignment, isStarted }: store.LoadedOffer): Assignment {
  return isStarted ? { ...assignment, resume: true } : assignment;
}

type OfferMessage = { readonly assignments: readonly Assignment[]; readonly body: string };

function planOf(agentId: string, { assignments }: OfferMessage) {
  return {
    name: 'offer',
    of: () => assignments.map(({ task }) => task.traceparent),
    attributes: () => ({ [ATTRIBUTES.agentId]: agentId, [ATTRIBUTES.tasks]: assignments.length }),
  };
}

/** What fits an offer beside its envelope. */
const MESSAGE_BYTES = LIMITS.agentMessageBytes - 1_024;

/** What is left of an assignment that is too large for any message: its agent reads the rest by id. */
function withoutPayload({
  task,
  dependencyResults,
  childResults,
  checkpoint: _,
  ...assignment
}: Assignment): Assignment {
  return {
    ...assignment,
    task: { ...task, description: '', metadata: {}, input: {}, context: {} },
    dependencyResults: dependencyResults.map(byReference),
    childResults: childResults.map(byReference),
    questions: [],
    truncated: true,
  };
}

function byReference<T extends ChildResult>(result: T): T {
  return { ...result, title: '', result: null, truncated: true };
}

/** Cuts the offers to one agent into messages it can take. */
function toMessages(offers: readonly store.LoadedOffer[]): readonly OfferMessage[] {
  const messages: { assignments: Assignment[]; texts: string[] }[] = [];
  let room = 0;
  for (const whole of offers.map(asAssignment)) {
    let assignment = whole;
    let text = JSON.stringify(whole);
    if (Buffer.byteLength(text) > MESSAGE_BYTES) {
      assignment = withoutPayload(whole);
      text = JSON.stringify(assignment);
    }
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > room || messages.length === 0) {
      messages.push({ assignments: [], texts: [] });
      room = MESSAGE_BYTES;
    }
    messages.at(-1)?.assignments.push(assignment);
    messages.at(-1)?.texts.push(text);
    room -= bytes;
  }
  const epoch = offers[0]?.epoch ?? 0;
  return messages.map(({ assignments, texts }) => ({
    assignments,
    body: `{"epoch":${epoch},"assignments":[${texts.join(',')}]}`,
  }));
}
