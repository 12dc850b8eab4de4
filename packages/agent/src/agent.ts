import { agentSubject, control } from '@baton/contracts';
import type { Create } from './call-options.js';
import { createCalls, type Calls } from './calls.js';
import { createConnection } from './connection.js';
import { createContext } from './context.js';
import { isCut, readWhole } from './whole-assignment.js';
import { createInbox, type EndListener } from './inbox.js';
import { createOfferDesk } from './offers.js';
import { createRunner } from './runner.js';
import { createSession, type Welcome } from './session.js';
import { createTaskCommands } from './task-commands.js';
import { leave, type StopOptions } from './leave.js';
import { messageOf } from './errors.js';
import { readOptions, type AgentOptions } from './options.js';

/** A program that does tasks for Baton. */
export type Agent = Omit<Calls, 'create' | 'acknowledge'> & {
  readonly id: string;
  /** Connected and known to Baton. */
  readonly ready: boolean;
  /** Resolves when Baton has answered the first hello, however long that takes; rejects when it refused. */
  start(): Promise<void>;
  /** Stops in order; safe to call twice. */
  stop(options?: StopOptions): Promise<void>;
  /** Resolves after `stop`; rejects when the agent cannot go on, as `STALE_SESSION` when it was replaced. */
  readonly closed: Promise<void>;
  readonly create: Create;
  /**
   * Hears the ends of tasks this agent created, handed on or has a child of, at least once each. Listen before `start`: what nobody listens to is
   * acknowledged unheard. An item whose listener throws comes again.
   */
  onEnd(listener: EndListener): () => void;
  /** Hears likewise of tasks this agent handed on that were not done there: each comes back to it, or goes to whoever can. */
  onReturned(listener: EndListener): () => void;
};

/** Makes an agent; nothing happens before `start`. Throws `VALIDATION_FAILED` for options that cannot be. */
export function createAgent(options: AgentOptions): Agent {
  const settings = readOptions(options);
  const { id, logger } = settings;
  const stopped = new AbortController();
  const closing = deferred();
  let stopping: Promise<void> | undefined;
  let starting: Promise<void> | undefined;

  const connection = createConnection({ ...settings, onReconnected, onLost: fail });
  const calls = createCalls({ id, connection, stopped: stopped.signal });
  const commands = createTaskCommands({ id, connection, logger });
  const inbox = createInbox(settings);
  const runner = createRunner({
    ...settings,
    commands,
    work: async (run) => {
      const { assignment, abort } = run;
      const whole = isCut(assignment) ? await readWhole(assignment, calls, abort.signal) : assignment;
      const context = createContext({ ...run, assignment: whole }, calls, {
        progress: (report) => runner.progress(run, report),
        use: (used) => runner.use(run, used),
        delegate: (to) => runner.delegate(run, to),
        log: (level, message) => runner.reports.log(run, level, message),
        save: (verb, fields) => runner.reports.save(run, verb, fields),
      });
      return settings.handler(whole.task, context);
    },
    onStaleSession: () => session.refresh(),
  });
  const session = createSession({
    id,
    connection,
    logger,
    announce: () => ({ ...settings.hello, running: runner.running() }),
    running: () => runner.running(),
    onWelcome,
    onRefused: fail,
  });
  const offers = createOfferDesk({
    id,
    logger,
    session,
    take: ({ epoch, assignments }) => runner.offer(epoch, assignments),
  });
  const first = deferred();

  async function start(): Promise<void> {
    await connection.open(stopped.signal);
    connection.subscribe(agentSubject.offer(id), (body, reply) => offers.receive(body, reply));
    connection.subscribe(agentSubject.control(id), onControl);
    connection.subscribe(agentSubject.inbox(id), onInbox);
    session.refresh();
    await Promise.race([first.promise, closing.promise]);
    stopped.signal.throwIfAborted();
  }

  function onReconnected(): void {
    session.refresh();
    commands.wake();
  }

  function onWelcome({ epoch, previousEpoch, assignments, inbox: items }: Welcome): void {
    if (previousEpoch !== undefined && previousEpoch !== epoch) runner.abandon();
    // Whoever drained the agent without stopping it lets it take tasks again by a rehello.
    if (stopping) void session.goodbye('drain');
    else runner.reopen();
    runner.offer(epoch, assignments);
    offers.release();
    commands.wake();
    if (items.length > 0) void hearFirstPage({ items });
    first.resolve();
  }

  async function hearFirstPage(page: object): Promise<void> {
    try {
      const ids = await inbox.deliver(page);
      if (ids.length > 0) await calls.acknowledge(ids);
    } catch (error) {
      logger.info(
        `agent ${id}: inbox items were not acknowledged, they will come again: ${messageOf(error)}`,
      );
    }
  }

  function onInbox(body: unknown, reply: (answer: object) => void): void {
    void inbox.deliver(body).then((ack) => reply({ ack }));
  }

  function onControl(body: unknown): void {
    const parsed = control.safeParse(body);
    if (!parsed.success) return logger.warn(`agent ${id}: ignored a malformed control message`);
    const { type, taskId, attempt, reason } = parsed.data;
    if (type === 'rehello') session.refresh();
    if (type === 'drain') drain();
    if (taskId === undefined) return;
    if (type === 'cancel') runner.abort(taskId, attempt, 'cancelled', reason);
    if (type === 'revoke') runner.abort(taskId, attempt, 'revoked', reason);
  }

  function drain(): void {
    runner.close();
    runner.returnQueued();
  }

  /** The agent cannot go on: nothing it does from here on would be accepted. */
  function fail(reason: Error): void {
    if (stopping) return;
    logger.error(`agent ${id}: stopped for good: ${reason.message}`);
    stopping = endAll(reason).finally(() => closing.reject(reason));
  }

  async function endAll(reason: Error): Promise<void> {
    stopped.abort(reason);
    session.stop();
    runner.close();
    runner.abandon();
    runner.stop();
    commands.stop();
    await connection.close();
  }

  async function stop(stopOptions: StopOptions = {}): Promise<void> {
    stopping ??= leave({ id, logger, runner, session }, stopOptions)
      .then(() => endAll(new Error(`agent ${id} was stopped`)))
      .finally(closing.resolve);
    await stopping;
  }

  return {
    ...calls,
    id,
    get ready() {
      return connection.isConnected() && session.epoch() !== undefined && !stopping;
    },
    start: () => (starting ??= start()),
    stop,
    closed: closing.promise,
    create: ((what, createOptions = {}) => calls.create(what, createOptions)) as Create,
    onEnd: (listener) => inbox.listen((item) => (item.status === 'queued' ? undefined : listener(item))),
    onReturned: (listener) => inbox.listen((item) => (item.status === 'queued' ? listener(item) : undefined)),
  };
}

type Deferred = {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Whoever does not look at `closed` still reads the error in the log.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
