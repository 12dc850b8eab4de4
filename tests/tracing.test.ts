import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import {
  checkoutDirectory,
  startProcess,
  startServices,
  type RunningProcess,
  type Services,
} from '@baton/stack';
import { asAdmin, startTestStack, until, type TestStack } from '@baton/testkit';
import { startReceiver, type ReceivedSpan, type Receiver } from './system/otlp.js';

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';

let stack: TestStack;
let receiver: Receiver;
let services: Services;
let agents: RunningProcess;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([startTestStack(), startReceiver()]);
  services = await startServices({ stack, ports: 'free', environment: environment() });
  agents = await startAgents('agents.log');
}, 60_000);
afterAll(async () => {
  await agents.stop();
  await services.stop();
  await Promise.all([stack.stop(), receiver.close()]);
}, 60_000);

const environment = () => ({
  ...process.env,
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_BSP_SCHEDULE_DELAY: '100',
  NATS_URL: stack.natsUrl,
});

async function startAgents(log: string): Promise<RunningProcess> {
  const started = await startProcess({
    name: 'traced agents',
    command: process.execPath,
    arguments: ['--import', '@baton/runtime/tracing', 'tests/fixtures/traced-agents.mjs'],
    directory: checkoutDirectory,
    environment: {
      ...environment(),
      OTEL_SERVICE_NAME: 'agents',
      BATON_NATS_CREDENTIALS_FILE: await stack.nats.access.agentFiles(['ada', 'bob']),
    },
    logFile: join(stack.directory, 'logs', log),
  });
  await until(async () => (await started.lastLines()).includes('ready'), { timeoutMs: 20_000 });
  return started;
}

async function http(method: string, path: string, body?: unknown, headers = {}): Promise<Json> {
  const response = await fetch(`${services.get('task-service').httpUrl}/v1${path}`, {
    method,
    headers: { ...asAdmin, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

/** A task that is traced from its client on, tried again, handed on, and has a child: the ids of both, once done. */
async function runTracedTask() {
  await http('PUT', '/agents/ada/connections/bob', {});
  await http('PUT', '/agents/bob/connections/ada', {});
  const retryPolicy = { kind: 'fixed', baseSeconds: 0.1, jitter: false };
  const task = { title: 'Traced', type: 'traced', retryPolicy };
  const { id } = await http('POST', '/tasks', task, { traceparent: `00-${TRACE_ID}-${CLIENT_SPAN}-01` });
  const done = (taskId: string) =>
    until(
      async () => {
        const read = await http('GET', `/tasks/${taskId}`, undefined, {
          traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-00`,
        });
        return read.status === 'completed' && read;
      },
      { timeoutMs: 20_000, describe: `task ${taskId} is completed` },
    );
  const { result } = await done(id);
  await done(result.child);
  return { id, childId: result.child };
}

const ofTrace = () => receiver.spans.filter(({ traceId }) => traceId === TRACE_ID);
const named = (name: string) => ofTrace().filter((span) => span.name === name);
/** The spans of that name, once there is one. */
async function arrived(name: string): Promise<readonly ReceivedSpan[]> {
  await until(() => named(name).length > 0, { describe: `a span ${name} came` });
  return named(name);
}

const runsOf = (taskId: string) =>
  ofTrace()
    .filter(
      ({ name, attributes }) => name.startsWith('invoke_agent ') && attributes['baton.task.id'] === taskId,
    )
    .toSorted(
      (a, b) => Number(a.attributes['baton.task.attempt']) - Number(b.attributes['baton.task.attempt']),
    );

describe('a task that is tried again and handed on', () => {
  it('is one connected trace from its client to its end', async () => {
    const { id, childId } = await runTracedTask();
    await until(
      () => runsOf(id).length === 3 && runsOf(childId).length === 1 && named('POST /v1/tasks').length === 1,
    );
    const runs = runsOf(id);
    const [create] = named('POST /v1/tasks');
    expect(create).toMatchObject({
      service: 'task-service',
      kind: 'SERVER',
      parentSpanId: CLIENT_SPAN,
      attributes: { 'http.route': '/v1/tasks', 'http.response.status_code': 201 },
    });
    expect(runs).toMatchObject([
      {
        service: 'agents',
        kind: 'INTERNAL',
        name: expect.stringMatching(/^invoke_agent (ada|bob)$/),
        isError: true,
        links: [],
        attributes: { 'gen_ai.operation.name': 'invoke_agent', 'error.type': 'unlucky' },
      },
      { links: [linkTo(runs[0])], isError: false, attributes: { 'baton.task.attempt': 2 } },
      {
        links: [linkTo(runs[0]), linkTo(runs[1])],
        attributes: { 'baton.task.attempt': 3, 'baton.task.outcome': 'complete' },
      },
    ]);
    for (const run of runs) expect(run.parentSpanId).toBe(create?.spanId);
    // The child is below the run that had it made.
    const [spawn] = await arrived('process agent.{agent}.call.spawn');
    expect(spawn?.parentSpanId).toBe(runs[2]?.spanId);
    expect(runsOf(childId)[0]?.parentSpanId).toBe(spawn?.spanId);
    await until(() => everyParentIsThere());
  });

  it('leaves no part out', async () => {
    const isMissing = ([service, kind, name]: (typeof PARTS)[number]) =>
      !named(name).some((span) => span.service === service && span.kind === kind);
    const missing = () => PARTS.filter(isMissing).join('; ');
    await until(() => missing() === '', { describe: () => `spans came, but for ${missing()}` });
    await until(() => everyParentIsThere());
    const [published] = named('publish task.created');
    expect(published?.attributes).toMatchObject({ 'messaging.system': 'nats' });
    for (const handled of named('process task.created'))
      expect(ofTrace().map(({ spanId }) => spanId)).toContain(handled.parentSpanId);
    const statements = ofTrace().filter(({ attributes }) => 'db.system.name' in attributes);
    expect(statements.length).toBeGreaterThan(0);
    expect(JSON.stringify(statements)).not.toMatch(/postgres(ql)?:\/\/\w+:/);
  });

  it('has no part of anybody else', () => {
    const strangers = ofTrace().filter(({ name }) => name.startsWith('GET '));
    expect(strangers).toEqual([]);
  });
});

describe('the figures of every service', () => {
  it('tell of requests, events and the process, by labels of few values', async () => {
    const scrapes = await Promise.all(Object.entries(FIGURES).map((entry) => scrape(...entry)));
    const labels = scrapes.flatMap((text) => [...text.matchAll(/[{,](\w+)="([^"]*)"/g)]);
    expect(labels.length).toBeGreaterThan(100);
    // Of agents metrics-service shows the hundred that hold most, under this label and no other.
    const unbounded = labels.filter(
      ([, label, value = '']) => label !== 'agent' && /[0-9a-f]{8}-[0-9a-f]{4}-|\b(ada|bob)\b/.test(value),
    );
    expect(unbounded).toEqual([]);
  });
});

describe('a task in the middle of which its agent and every service are killed', () => {
  it('goes on in the trace of its client, below the same span', async () => {
    const traceId = 'c0ffee00f3577b34da6a3ce929d0e047';
    const ofTask = () => receiver.spans.filter((span) => span.traceId === traceId);
    const isStarted = (span: ReceivedSpan) => span.name === 'process agent.{agent}.task.start';
    const task = { title: 'Outlives them', type: 'lost' };
    const { id } = await http('POST', '/tasks', task, { traceparent: `00-${traceId}-${CLIENT_SPAN}-01` });
    await until(() => ofTask().some(isStarted) && ofTask().some(({ kind }) => kind === 'SERVER'));
    agents.signal('SIGKILL');
    await agents.exited;
    const killed = services.list.map((service) => service.current());
    for (const service of killed) service.signal('SIGKILL');
    await until(() => services.list.every((service) => !killed.includes(service.current())), {
      timeoutMs: 30_000,
    });
    const before = ofTask().length;

    agents = await startAgents('agents-again.log');
    const isRun = ({ name }: ReceivedSpan) => name.startsWith('invoke_agent ');
    await until(() => ofTask().some(isRun), { timeoutMs: 60_000 });
    const create = ofTask().find(({ kind, name }) => kind === 'SERVER' && name === 'POST /v1/tasks');
    expect(ofTask().filter(isRun)).toMatchObject([
      {
        parentSpanId: create?.spanId,
        isError: false,
        attributes: { 'baton.task.id': id, 'baton.task.attempt': 2, 'baton.task.outcome': 'complete' },
      },
    ]);
    // What the new processes did for it is there, too.
    for (const service of ['task-service', 'distribution-service', 'metrics-service'])
      await until(
        () =>
          ofTask()
            .slice(before)
            .some((span) => span.service === service),
        { describe: () => `a span of ${service} came after the restart` },
      );
  }, 150_000);
});

/** What a service shows once all is there that it is to show. */
async function scrape(service: string, expected: readonly string[]): Promise<string> {
  let text = '';
  const missing = () => expected.filter((figure) => !text.includes(`\n${figure}`));
  await until(
    async () => {
      text = await (await fetch(`${services.get(service).operationsUrl}/metrics`)).text();
      return missing().length === 0;
    },
    { describe: () => `${service} shows ${missing().join(', ')}` },
  );
  return text;
}

const PROCESS = [
  'nodejs_eventloop_lag_p99_seconds ',
  'process_resident_memory_bytes ',
  'baton_check_failing{',
];
const FIGURES = {
  'task-service': [
    ...PROCESS,
    'baton_http_request_duration_seconds_count{method="POST",route="/v1/tasks",status="201"} 1',
    'baton_nats_request_duration_seconds_count{subject="agent.{agent}.task.fail",code="ok"} ',
    'baton_nats_request_duration_seconds_count{subject="svc.task.assign",code="ok"}',
    'baton_nats_event_duration_seconds_count{durable="reactors",subject="task.completed",outcome="ack"}',
    'baton_nats_publish_duration_seconds_count{subject="task.created",outcome="ok"}',
    'baton_nats_consumer_pending{durable="reactors"} ',
    'baton_nats_consumer_unacknowledged{durable="reactors"} ',
    'baton_task_changes_total{arrow="create"} 2',
    'baton_outbox_oldest_seconds ',
    'baton_postgres_pool_connections{pool="lanes",state="busy"} ',
    'baton_postgres_pool_connections{pool="lists",state="awaited"} ',
  ],
  'distribution-service': [
    ...PROCESS,
    'baton_nats_event_duration_seconds_count{durable="distribution",subject="task.created",outcome="ack"}',
    'baton_nats_consumer_pending{durable="distribution"} ',
    'baton_distribution_agents{status="online"} 2',
    'baton_distribution_decisions_total{outcome="placed"}',
  ],
  'metrics-service': [
    ...PROCESS,
    'baton_nats_event_duration_seconds_count{durable="metrics",subject="task.completed",outcome="ack"}',
    'baton_nats_consumer_pending{durable="metrics"} ',
    'baton_backlog_oldest_seconds ',
    'baton_tasks{status="completed"}',
    'baton_postgres_pool_connections{pool="metrics",state="busy"} ',
    'baton_postgres_pool_connections{pool="metrics",state="awaited"} ',
  ],
} as const;

const PARTS = [
  ['task-service', 'INTERNAL', 'write batch'],
  ['task-service', 'PRODUCER', 'publish task.created'],
  ['task-service', 'INTERNAL', 'offer'],
  ['task-service', 'CLIENT', 'request agent.{agent}.offer'],
  ['task-service', 'CONSUMER', 'process task.completed'],
  ['metrics-service', 'CONSUMER', 'process task.created'],
  ['distribution-service', 'CONSUMER', 'process task.created'],
  ['distribution-service', 'INTERNAL', 'decide'],
  ['distribution-service', 'INTERNAL', 'assign'],
  ['distribution-service', 'CLIENT', 'request svc.task.assign'],
  ['task-service', 'CONSUMER', 'process svc.task.assign'],
  ['task-service', 'CONSUMER', 'process agent.{agent}.task.complete'],
] as const;

function linkTo(span: ReceivedSpan | undefined) {
  return { traceId: span?.traceId, spanId: span?.spanId };
}

/** Of the spans of the trace all hang together, below the one of the client. */
function everyParentIsThere(): boolean {
  const spans = ofTrace();
  const ids = new Set([CLIENT_SPAN, ...spans.map(({ spanId }) => spanId)]);
  return spans.every(({ parentSpanId }) => ids.has(parentSpanId));
}
