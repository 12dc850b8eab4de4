import type { AgentView, CreateTaskInput, TaskHistoryEntry, TaskView } from '@baton/contracts';

/** The part of the REST API of task-service that the demo uses. Every call rejects with what the service said. */
export type Rest = {
  createTask(task: CreateTaskInput, idempotencyKey: string): Promise<Pick<TaskView, 'id'>>;
  /** All tasks of the tree; it has fewer than fit one page. */
  listTree(rootTaskId: string): Promise<readonly TaskView[]>;
  history(taskId: string): Promise<readonly TaskHistoryEntry[]>;
  agents(): Promise<readonly AgentView[]>;
};

type Page<T> = { readonly data: readonly T[] };

/** An answer other than success. */
export class RestError extends Error {
  override readonly name = 'RestError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const answerWithinMs = 5_000;

/** A client of the service at `url`, with an API key. */
export function restClient(url: string, key: string): Rest {
  const authorization = `Bearer ${key}`;
  const get = <T>(path: string) => ask<T>(`${url}${path}`, { headers: { authorization } });
  return {
    createTask: (task, idempotencyKey) =>
      ask(`${url}/v1/tasks`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(task),
      }),
    listTree: async (root) => (await get<Page<TaskView>>(`/v1/tasks?root=${root}&limit=200`)).data,
    history: async (id) => (await get<Page<TaskHistoryEntry>>(`/v1/tasks/${id}/history`)).data,
    agents: async () => (await get<Page<AgentView>>('/v1/agents?limit=200')).data,
  };
}

async function ask<T>(url: string, request: RequestInit = {}): Promise<T> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(answerWithinMs) });
  const body: unknown = await response.json();
  if (response.ok) return body as T;
  const { detail, title } = body as { detail?: string; title?: string };
  const problem = detail ?? title ?? 'without a reason';
  throw new RestError(
    response.status,
    `${request.method ?? 'GET'} ${url} was answered ${response.status}: ${problem}`,
  );
}
