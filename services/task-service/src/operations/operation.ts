import type {
  Actor,
  ErrorBody,
  JsonObject,
  OperationAction,
  OperationStatus,
  OperationView,
} from '@baton/contracts';

/** Tasks an operation is about to decide, written down before the first is, and the task behind which it goes on. */
export type Chunk = { readonly ids: readonly string[]; readonly next: string | null };

/** How often a code refused. */
export type Refusals = Readonly<Record<string, number>>;

/** One change for every task of a filter, and how far it is. Times in milliseconds of the epoch. */
export type Operation = {
  readonly id: string;
  readonly action: OperationAction;
  readonly q: string;
  readonly parameters: JsonObject;
  readonly actor: Actor;
  readonly traceparent: string | null;
  readonly status: OperationStatus;
  readonly expected: number;
  readonly isEstimate: boolean;
  /** The task all up to which are decided; null before the first. */
  readonly position: string | null;
  readonly chunk: Chunk | null;
  readonly matched: number;
  readonly done: number;
  readonly refused: Refusals;
  readonly error: ErrorBody | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** Counts the replicas that had it: only the last may write. */
  readonly epoch: number;
};

/** As the API shows it. */
export function toView(operation: Operation): OperationView {
  const { id, action, q, status, matched, done, refused, error, actor, endedAt } = operation;
  return {
    id,
    action,
    q,
    with: operation.parameters,
    status,
    expected: { matched: operation.expected, approximate: operation.isEstimate },
    matched,
    done,
    refused,
    error,
    createdBy: actor,
    createdAt: new Date(operation.createdAt).toISOString(),
    updatedAt: new Date(operation.updatedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
  };
}
