import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { asAdmin } from '@baton/testkit';

/** A task or a graph as `POST /v1/tasks` and `POST /v1/tasks/graph` take it. */
export type Body = Readonly<Record<string, unknown>>;

/** What the services acknowledged: whatever happens, these tasks must be there and end. */
export type Acknowledged = {
  readonly ids: readonly string[];
  /** How often a request was sent again because nobody answered, or with a fault of the server. */
  readonly repeated: number;
  /** Requests whose first answer was lost: the key told the service that they had been accepted already. */
  readonly replayed: number;
};

export type LoadOptions = {
  /** The HTTP addresses of the replicas of task-service; asked again before each request, as replicas may move. */
  readonly urls: () => readonly string[];
  readonly count: number;
  /** The n-th task, from 0. */
  readonly body: (index: number) => Body;
  /** Requests under way at once. Default: 32. */
  readonly inFlight?: number;
  /** Tasks begun in a second at most; as fast as it goes when left out. */
  readonly perSecond?: number;
};

/** How long one request is repeated until somebody acknowledges it. */
const PATIENCE_MS = 60_000;
const REQUEST_MS = 10_000;
const PAUSE_MS = 50;

type BatchItem = {
  readonly ok: boolean;
  readonly id?: string;
  readonly error?: { readonly retryable: boolean };
};

type Answer = {
  readonly id?: string;
  readonly tasks?: readonly { readonly id: string; readonly ref?: string }[];
  readonly results?: readonly BatchItem[];
};

/** Creates tasks one by one; rejects when one is refused, or acknowledged by nobody for a minute. */
export async function createTasks(options: LoadOptions): Promise<Acknowledged> {
  const { urls, count, body, inFlight = 32, perSecond } = options;
  const startedAt = performance.now();
  const indexes = Array.from({ length: count }, (_, index) => index).values();
  const created: Acknowledged[] = [];
  await Promise.all(
    Array.from({ length: Math.min(inFlight, count) }, async () => {
      for (const index of indexes) {
        if (perSecond !== undefined) await waitUntil(startedAt + (index * 1_000) / perSecond);
        created.push(await post(urls, '/v1/tasks', body(index)));
      }
    }),
  );
  return {
    ids: created.flatMap(({ ids }) => ids),
    repeated: created.reduce((sum, { repeated }) => sum + repeated, 0),
    replayed: created.reduce((sum, { replayed }) => sum + replayed, 0),
  };
}

/** Creates up to 1,000 tasks in one request; each is judged on its own, and all must be accepted. */
export function createBatch(urls: LoadOptions['urls'], tasks: readonly Body[]): Promise<Acknowledged> {
  return post(urls, '/v1/tasks/batch', { tasks });
}

/** Creates tasks with dependencies among each other; the ids are in their order. */
export function createGraph(urls: LoadOptions['urls'], tasks: readonly Body[]): Promise<Acknowledged> {
  return post(urls, '/v1/tasks/graph', { tasks });
}

/** One request under one key, at each replica in turn until one of them has acknowledged it. */
async function post(urls: LoadOptions['urls'], path: string, body: Body): Promise<Acknowledged> {
  const key = randomUUID();
  const giveUpAt = performance.now() + PATIENCE_MS;
  let turn = Math.floor(Math.random() * 1_000);
  for (let repeated = 0; ; repeated += 1) {
    const all = urls();
    const url = all[turn++ % all.length] ?? '';
    const outcome = await tryOnce(`${url}${path}`, key, body);
    if ('answer' in outcome) {
      return { ids: idsOf(outcome.answer, path), repeated, replayed: outcome.replayed ? 1 : 0 };
    }
    if (!outcome.mayPass || performance.now() > giveUpAt) {
      throw new Error(`POST ${path} was not acknowledged after ${repeated + 1} tries: ${outcome.failure}`);
    }
    await delay(PAUSE_MS);
  }
}

type Try =
  | { readonly answer: Answer; readonly replayed: boolean }
  | { readonly failure: string; readonly mayPass: boolean };

async function tryOnce(url: string, key: string, body: Body): Promise<Try> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const text = await response.text();
    if (!response.ok) return { failure: `${response.status} ${text}`, mayPass: mayPass(response.status) };
    const answer = JSON.parse(text) as Answer;
    const isPartial = answer.results?.some(({ error }) => error?.retryable) === true;
    if (isPartial) return { failure: text, mayPass: true };
    const replayed = response.headers.get('idempotency-replayed') === 'true';
    return { answer, replayed };
  } catch (error) {
    // Refused, reset, cut off or too slow: whether it was accepted is what the key is for.
    return { failure: String(error), mayPass: true };
  }
}

/** Faults of the server, and its wish to be asked later. */
function mayPass(status: number): boolean {
  return status >= 500 || status === 429;
}

function idsOf({ id, tasks, results }: Answer, path: string): readonly string[] {
  const ids = id === undefined ? (tasks ?? results)?.map((item) => item.id) : [id];
  if (ids === undefined || ids.includes(undefined)) {
    throw new Error(`POST ${path}: expected every task to be accepted, got ${JSON.stringify(results)}`);
  }
  return ids as readonly string[];
}

async function waitUntil(time: number): Promise<void> {
  const left = time - performance.now();
  if (left > 0) await delay(left);
}
