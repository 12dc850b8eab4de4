import { BUS, type Bus } from '@baton/bus';
import { backlogAnswer, HINT_SUBJECTS, SERVICE_SUBJECTS, typesHint } from '@baton/contracts';
import type { BacklogAnswer, BacklogRequest, HeldBack, QueuedTask } from '@baton/contracts';
import { apart } from '@baton/telemetry';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { AssignmentService, type Attempt, type Settled } from '../assignment/assignment.service.js';
import { compareTasks } from '../assignment/task.order.js';
import { addWaiting, discover, isTakingTurns } from '../assignment/waiting.fold.js';
import { planReading, takePages, tryAhead } from '../assignment/waiting.fold.js';
import type { WaitingClasses } from '../assignment/waiting.state.js';
import { agentsGauge, waitingClassesGauge } from '../distribution.metrics.js';
import { FleetService } from '../fleet/fleet.service.js';
import { applyHeldBack, applyRoom, isHeldBack } from '../fleet/holds.fold.js';
import { roomOf } from '../fleet/slots.fold.js';
import { LOGGER } from '../logger.js';
import { NeighboursService } from '../shards/neighbours.service.js';
import { leaseOf } from '../shards/ownership.fold.js';
import { TURN_MS } from '../shards/turns.decide.js';
import { askTaskService } from '../task-service.client.js';

const NOTHING: HeldBack = { all: false, types: [] };
const TICK_MS = 1_000;
const TIMEOUT_MS = 5_000;
const DISCOVER_PAGE = 200;
const DISCOVER_PAGES_PER_TICK = 5;

/**
 * Brings waiting tasks to agents: new ones from events where nothing waits before them, all others by reading the
 * backlog whenever slots free up or agents appear, and once a second. That reading, not the event, is the
 * guarantee: of what waits, only so much is in memory as makes one reading last for many freed slots.
 */
@Injectable()
export class BacklogService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly waiting: WaitingClasses = new Map();
  private timer: NodeJS.Timeout | undefined;
  private discoverAfter: string | undefined;
  private discoveryDue = false;
  private scheduled = false;
  private reading = false;
  private readAgain = false;
  /** After a failure only the tick tries again. */
  private failed = false;
  private stopped = false;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly assignments: AssignmentService,
    private readonly neighbours: NeighboursService,
  ) {}

  onApplicationBootstrap(): void {
    this.fleetService.onChanged(() => this.wake());
    this.timer = setInterval(() => void this.tick(), TICK_MS);
    this.bus.subscribe(HINT_SUBJECTS.types, (body) => this.typesChanged(body));
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /**
   * Takes in tasks that became ready. Resolves when each was tried once, here and by neighbours, or left to the
   * reading of the backlog.
   */
  async arrived(tasks: readonly QueuedTask[]): Promise<void> {
    const settled: Promise<void>[] = [];
    const left: QueuedTask[] = [];
    for (const task of tasks.toSorted(compareTasks)) {
      this.assignments.noteArrival(task);
      const attempt = this.tryInTurn(task);
      if (attempt?.settled !== undefined) settled.push(attempt.settled.then((end) => this.settle(task, end)));
      if (attempt?.tried === 'no_room' || attempt?.tried === 'passed_over') left.push(task);
    }
    this.wake();
    await Promise.all([...settled, this.passOn(left)]);
  }

  /**
   * Takes in tasks a neighbour has no room for, as those that became ready, but never passes them on. Resolves with
   * the ids of those that need no agent any more.
   */
  async offered(tasks: readonly QueuedTask[]): Promise<readonly string[]> {
    const ended = tasks.toSorted(compareTasks).map(async (task) => {
      const attempt = this.tryInTurn(task);
      const end = await attempt?.settled;
      return attempt?.tried === 'known' || end === 'assigned' || end === 'refused' ? [task.id] : [];
    });
    this.wake();
    return (await Promise.all(ended)).flat();
  }

  /** A new task is tried at once; while others wait for slots it takes its turn among them. */
  private tryInTurn(task: QueuedTask): Attempt | undefined {
    const isHeld = isHeldBack(this.fleetService.fleet, task.type);
    if (!isHeld && !this.isInTurn(task)) return this.assignments.attempt(task);
    this.mark(task);
    // Neighbours may have it no more than we.
    if (isHeld) return undefined;
    return this.assignments.hasRoom(task) ? undefined : { tried: 'no_room' };
  }

  private isInTurn(task: QueuedTask): boolean {
    return this.reading || isTakingTurns(this.waiting, task.needs.backlogClass);
  }

  private async passOn(tasks: readonly QueuedTask[]): Promise<void> {
    for (const task of await this.neighbours.place(tasks)) this.mark(task);
    this.wake();
  }

  private settle(task: QueuedTask, settled: Settled): void {
    if (settled === 'again' || settled === 'unanswered') this.mark(task);
    if (settled === 'unanswered') this.failed = true;
  }

  private mark(task: QueuedTask): void {
    addWaiting(this.waiting, task, this.fleetService.fleet, performance.now());
  }

  /** Reads at the end of this turn of the event loop, so that hints that came together are one occasion. */
  private wake(): void {
    if (this.scheduled || this.stopped || this.failed || this.waiting.size === 0) return;
    this.scheduled = true;
    apart(() =>
      setImmediate(() => {
        this.scheduled = false;
        void this.read();
      }),
    );
  }

  private async tick(): Promise<void> {
    this.failed = false;
    waitingClassesGauge.set(this.waiting.size);
    const counts = { online: 0, draining: 0, offline: 0 };
    let hasRoom = false;
    const { fleet } = this.fleetService;
    for (const agent of fleet.agents.values()) {
      if (leaseOf(fleet, agent) === undefined) continue;
      counts[agent.status] += 1;
      hasRoom ||= roomOf(agent) > 0;
    }
    for (const [status, count] of Object.entries(counts)) agentsGauge.set({ status }, count);
    if (!hasRoom || !this.bus.isConnected()) return;
    this.discoveryDue = true;
    await this.read();
  }

  /** A hint of task-service: types were let go on, or one has room again. */
  private typesChanged(body: unknown): void {
    const hint = typesHint.safeParse(body);
    if (!hint.success) return;
    if (applyRoom(this.fleetService.fleet, hint.data)) this.wake();
    // The answer tells what is held back now.
    if (hint.data.changed) void this.tick();
  }

  /** One reader at a time: it goes on until there is nothing some agent with room could take. */
  private async read(): Promise<void> {
    this.readAgain = true;
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.readAgain && !this.stopped) {
        this.readAgain = false;
        if (this.discoveryDue) await this.discover();
        await this.readWhatFits();
      }
    } catch (error) {
      this.failed = true;
      this.logger.warn({ err: error }, 'could not read the backlog; trying again in a second');
    } finally {
      this.reading = false;
    }
  }

  private async readWhatFits(): Promise<void> {
    const { index } = this.assignments.view;
    let readOn = true;
    while (readOn && !this.stopped && !this.failed) {
      const asked = planReading(this.waiting, index, performance.now());
      if (asked.length > 0) takePages(this.waiting, asked, (await this.ask({ classes: asked })).classes);
      if (this.stopped) return;
      const turn = Math.floor(this.fleetService.clock.now() / TURN_MS);
      const isShort = tryAhead(this.waiting, index, turn, (task) => {
        const attempt = this.assignments.attempt(task);
        void attempt.settled?.then((settled) => this.settle(task, settled));
        return attempt.tried;
      });
      readOn = isShort || asked.length > 0;
    }
  }

  /** Finds classes that wait unknown to this process, after a start or lost events. */
  private async discover(): Promise<void> {
    this.discoveryDue = false;
    for (let pages = 0; pages < DISCOVER_PAGES_PER_TICK; pages += 1) {
      const after = this.discoverAfter;
      const page = { limit: DISCOVER_PAGE, ...(after === undefined ? {} : { after }) };
      const { discovered } = await this.ask({ discover: page });
      for (const task of discovered) this.discovered(task);
      const isLast = discovered.length < DISCOVER_PAGE;
      this.discoverAfter = isLast ? undefined : discovered.at(-1)?.needs.backlogClass;
      if (isLast) return;
    }
  }

  private discovered(task: QueuedTask): void {
    if (this.assignments.isKnown(task)) return;
    discover(this.waiting, task, this.fleetService.fleet, performance.now());
  }

  private async ask(request: BacklogRequest): Promise<BacklogAnswer> {
    const options = { answer: backlogAnswer, timeoutMs: TIMEOUT_MS };
    const answer = await askTaskService(this.bus, SERVICE_SUBJECTS.backlog, request, options);
    const isFreed = applyHeldBack(this.fleetService.fleet, answer.heldBack ?? NOTHING);
    if (isFreed) this.readAgain = true;
    return answer;
  }
}
