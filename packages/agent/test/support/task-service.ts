import { randomUUID } from 'node:crypto';
import { connectOperator, type Nats } from '@baton/testkit';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import {
  agentSubject,
  goodbye,
  heartbeat,
  hello,
  offerAnswer,
  parse,
  taskCommands,
  TASK_VERBS,
  type Assignment,
  type Goodbye,
  type Heartbeat,
  type Hello,
  type OfferAnswer,
  type TaskVerb,
} from '@baton/contracts';

export type Command = {
  readonly verb: TaskVerb;
  readonly taskId: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly commandId: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  readonly reason?: string;
  readonly to?: string;
  readonly usage?: { readonly inputTokens: number };
  readonly percent?: number;
  readonly message?: string;
  readonly level?: string;
  readonly artifact?: object;
  readonly checkpoint?: unknown;
};

/** Gives the answer to a request; `undefined`: none at all. */
type Answer<T> = (request: T) => object | undefined;

/** Task-service's side of the agent protocol over a raw NATS connection, answered as the test says. */
export type TaskServiceSide = {
  readonly hellos: Hello[];
  readonly heartbeats: Heartbeat[];
  readonly goodbyes: Goodbye[];
  /** Every command in the order it came, repetitions included. */
  readonly commands: Command[];
  /** How many items each message with commands carried. */
  readonly batches: { readonly verb: TaskVerb; readonly size: number }[];
  readonly calls: { readonly verb: string; readonly body: Record<string, unknown> }[];
  /** What all was answered; the test may replace any. */
  readonly answers: {
    hello: (request: Hello) => ReturnType<Answer<Hello>> | Promise<object>;
    goodbye: Answer<Goodbye>;
    command: Answer<Command>;
    call: Answer<{ readonly verb: string; readonly body: Record<string, unknown> }>;
  };
  of(verb: TaskVerb): Command[];
  /** Offers as the given epoch; rejects when nobody answers. */
  offer(
    assignments: readonly unknown[],
    options?: { epoch?: number; timeoutMs?: number },
  ): Promise<OfferAnswer>;
  control(body: object): void;
  inbox(items: readonly object[]): Promise<{ ack: string[] }>;
  close(): Promise<void>;
};

export async function playTaskService(
  server: Nats,
  agentId: string,
  answers: Partial<TaskServiceSide['answers']> = {},
): Promise<TaskServiceSide> {
  const nats = await connectOperator(server, { maxReconnectAttempts: -1, reconnectTimeWait: 20 });
  const side: TaskServiceSide = {
    hellos: [],
    heartbeats: [],
    goodbyes: [],
    commands: [],
    batches: [],
    calls: [],
    answers: {
      hello: () => welcome(1),
      goodbye: ({ mode }) => ({ ok: true, status: mode === 'drain' ? 'draining' : 'offline' }),
      command: accept,
      call: () => ({ ok: true }),
      ...answers,
    },
    of: (verb) => side.commands.filter((command) => command.verb === verb),
    async offer(assignments, { epoch = 1, timeoutMs = 4_000 } = {}) {
      const body = JSON.stringify({ epoch, assignments });
      const answer = await nats.request(agentSubject.offer(agentId), body, { timeout: timeoutMs });
      return parse(offerAnswer, answer.json(), 'offer answer');
    },
    control: (body) => nats.publish(agentSubject.control(agentId), JSON.stringify({ reason: null, ...body })),
    async inbox(items) {
      const answer = await nats.request(agentSubject.inbox(agentId), JSON.stringify({ items }), {
        timeout: 4_000,
      });
      return answer.json<{ ack: string[] }>();
    },
    close: () => nats.close(),
  };
  listen(nats, agentId, side);
  await nats.flush();
  return side;
}

function listen(nats: NatsConnection, id: string, side: TaskServiceSide): void {
  const on = (subject: string, handle: (message: Msg) => object | undefined | Promise<object>): void => {
    const answer = async (message: Msg): Promise<void> => {
      const body = await handle(message);
      if (body) message.respond(JSON.stringify(body));
    };
    nats.subscribe(subject, { callback: (_, message) => void answer(message) });
  };
  on(agentSubject.hello(id), (message) => {
    const body = parse(hello, message.json(), 'hello');
    side.hellos.push(body);
    return side.answers.hello(body);
  });
  on(agentSubject.heartbeat(id), (message) => {
    side.heartbeats.push(parse(heartbeat, message.json(), 'heartbeat'));
    return undefined;
  });
  on(agentSubject.goodbye(id), (message) => {
    const body = parse(goodbye, message.json(), 'goodbye');
    side.goodbyes.push(body);
    return side.answers.goodbye(body);
  });
  for (const verb of TASK_VERBS) {
    on(agentSubject.task(id, verb), (message) => {
      const { items } = message.json<{ items: unknown[] }>();
      side.batches.push({ verb, size: items.length });
      const commands = items.map((item) => ({ ...parse(taskCommands[verb], item, verb), verb }) as Command);
      side.commands.push(...commands);
      const answers = commands.map((command) => side.answers.command(command));
      return answers.includes(undefined) ? undefined : { ok: true, items: answers };
    });
  }
  on(`agent.${id}.call.*`, (message) => {
    const call = {
      verb: message.subject.split('.').at(-1) as string,
      body: message.json<Record<string, unknown>>(),
    };
    side.calls.push(call);
    return side.answers.call(call);
  });
}

export function welcome(
  epoch: number,
  contents: { assignments?: unknown[]; items?: unknown[] } = {},
): object {
  const { assignments = [], items = [] } = contents;
  const inbox = { count: items.length, items };
  return { ok: true, epoch, heartbeatMs: 100, expireMs: 300, assignments, inbox, connections: [] };
}

export function accept({ taskId, attempt, verb }: Command): object {
  return { ok: true, taskId, status: verb === 'start' ? 'in_progress' : 'completed', attempt, version: 3 };
}

export function refuse(code: string, retryable = false): object {
  return { ok: false, error: { code, message: `refused with ${code}`, retryable } };
}

export function assignment(
  overrides: Partial<Omit<Assignment, 'task'>> & { task?: object } = {},
): Assignment {
  const id = randomUUID();
  const task = {
    id,
    title: 'a task',
    description: '',
    type: 'task',
    priority: 3,
    tags: [],
    metadata: {},
    input: {},
    context: {},
    createdBy: 'user:local',
    parentTaskId: null,
    rootTaskId: id,
    deadline: null,
    timeout: null,
    traceparent: null,
  } as const;
  return {
    attempt: 1,
    decision: null,
    dependencyResults: [],
    childResults: [],
    questions: [],
    previousAttempts: [],
    ...overrides,
    task: { ...task, ...overrides.task },
  };
}
