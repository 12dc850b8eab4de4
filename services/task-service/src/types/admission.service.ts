import {
  DEFAULTS,
  DomainError,
  parse,
  type CreateTask,
  type JsonObject,
  type JsonValue,
  type Problem,
} from '@baton/contracts';
import type { z } from 'zod';
import type { Pool } from '../database/database.js';
import type { Idempotency } from '../write-path/submission.js';
import type { TaskCommand } from '../tasks/task.state.js';
import { findKey } from '../write-path/idempotency.store.js';
import type { TypeRegistry } from './type.registry.js';
import { findTypesOf } from './type.store.js';

type Place = { readonly task: CreateTask; readonly pointer: string };
type PolicyNames = { unknown(names: readonly string[]): Promise<readonly string[]> };
type Named = { readonly task: Pick<CreateTask, 'criteria'>; readonly pointer: string };
type Change = Extract<TaskCommand, { kind: 'update' | 'reopen' }>;
type Completion = Extract<TaskCommand, { kind: 'complete' }>;
/** A request that creates tasks, whichever it is: itself one, or with one or more of them inside. */
type NewTasks = {
  readonly task?: CreateTask;
  readonly tasks?: readonly CreateTask[];
  readonly graph?: NewTasks;
};

/** What the registered types ask of tasks: their defaults filled in, their inputs and results checked. */
export class AdmissionService {
  private asked: { readonly ids: string[]; readonly types: Promise<ReadonlyMap<string, string>> } | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly registry: TypeRegistry,
    private readonly policies: PolicyNames,
  ) {}

  /**
   * Parses a request that creates tasks (one, `task`, `tasks` or `graph`): what a task leaves out is as its type says,
   * and its input must be as its type asks. A request that was accepted before is not judged again by a schema that
   * came after it.
   */
  async parseNew<T extends z.ZodType>(
    schema: T,
    body: unknown,
    what: string,
    keyOf: (request: z.output<T>) => Idempotency | undefined,
  ): Promise<z.output<T>> {
    const isPlain = !this.registry.some(({ hasDefaults, hasInputSchema }) => hasDefaults || hasInputSchema);
    const request = parse(schema, isPlain ? body : await mapTasks(body, this.withDefaults), what);
    const places = placesOf(request as NewTasks);
    const problems: Problem[] = [...(await this.unknownPolicies(places))];
    for (const { task, pointer } of isPlain ? [] : places) {
      const { checkInput } = await this.registry.usable(task.type);
      const found = checkInput?.(task.input) ?? [];
      problems.push(
        ...found.map((problem) => ({ ...problem, pointer: `${pointer}/input${problem.pointer}` })),
      );
    }
    if (problems.length === 0) return request;
    const key = keyOf(request);
    if (key !== undefined && (await findKey(this.pool, key)) !== undefined) return request;
    throw refusal('VALIDATION_FAILED', what, problems);
  }

  /**
   * The command with what the type of its task has to say to it, once it is its sender's to give: whether it takes the
   * result a complete brings, and the input a change gives.
   */
  async judged(command: TaskCommand): Promise<TaskCommand> {
    if (command.kind === 'update' || command.kind === 'reopen') {
      await this.refuseUnknownPolicy(command);
      return this.withInputCheck(command);
    }
    if (command.kind !== 'complete' || !this.registry.some(({ hasResultSchema }) => hasResultSchema))
      return command;
    const refused = await this.refusalOf(command);
    return refused === undefined ? command : { ...command, refusal: refused };
  }

  private async refuseUnknownPolicy({ changes }: Change): Promise<void> {
    const { criteria = {} } = changes;
    const problems = await this.unknownPolicies([{ task: { criteria }, pointer: '' }]);
    if (problems.length > 0) throw refusal('VALIDATION_FAILED', 'Change', problems);
  }

  /** Costs nothing where no task names a policy. */
  private async unknownPolicies(places: readonly Named[]): Promise<readonly Problem[]> {
    const naming = places.flatMap(({ task, pointer }) => {
      const { policy } = task.criteria;
      return policy === undefined ? [] : [{ policy, pointer: `${pointer}/criteria/policy` }];
    });
    if (naming.length === 0) return [];
    const unknown = new Set(await this.policies.unknown(naming.map(({ policy }) => policy)));
    return naming
      .filter(({ policy }) => unknown.has(policy))
      .map(({ policy, pointer }) => ({ pointer, code: 'policy', detail: `there is no policy ${policy}` }));
  }

  private async withInputCheck<T extends Change>(command: T): Promise<T> {
    const isAsked = command.changes.input !== undefined;
    if (!isAsked || !this.registry.some(({ hasInputSchema }) => hasInputSchema)) return command;
    const type = await this.typeOf(command.taskId);
    const { checkInput } = type === undefined ? {} : await this.registry.usable(type);
    if (checkInput === undefined) return command;
    // What is merged into what is there is known under the lock alone.
    const refuseInput = (input: JsonValue) => {
      const found = orError(() => checkInput(input));
      if (found instanceof DomainError) return found;
      if (found.length === 0) return undefined;
      const problems = found.map((problem) => ({ ...problem, pointer: `/input${problem.pointer}` }));
      return refusal('VALIDATION_FAILED', `Input of a task of type ${type}`, problems);
    };
    return { ...command, refuseInput };
  }

  private async refusalOf({ taskId, result }: Completion): Promise<DomainError | undefined> {
    const type = await this.typeOf(taskId);
    if (type === undefined) return undefined;
    try {
      const { checkResult } = await this.registry.usable(type);
      const found = checkResult?.(result) ?? [];
      if (found.length === 0) return undefined;
      const problems = found.map((problem) => ({ ...problem, pointer: `/result${problem.pointer}` }));
      return refusal('INVALID_RESULT', `Result of a task of type ${type}`, problems);
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  }

  /** Asked for by many at once, as completes come: one query for all of a turn of the event loop. */
  private typeOf(taskId: string): Promise<string | undefined> {
    this.asked ??= { ids: [], types: new Promise(setImmediate).then(() => this.readTypes()) };
    this.asked.ids.push(taskId);
    return this.asked.types.then((types) => types.get(taskId));
  }

  private readTypes(): Promise<ReadonlyMap<string, string>> {
    const ids = this.asked?.ids ?? [];
    this.asked = undefined;
    return findTypesOf(this.pool, ids);
  }

  private readonly withDefaults = async (task: unknown): Promise<unknown> => {
    if (!isRecord(task)) return task;
    const { type = DEFAULTS.taskType } = task;
    if (typeof type !== 'string') return task;
    const { defaults } = await this.registry.usable(type);
    return { ...defaults, ...withPolicyOf(defaults, task) };
  };
}

/** Criteria of its own take no policy from a task: that is of its type until it names one. */
function withPolicyOf(defaults: JsonObject, task: Readonly<Record<string, unknown>>) {
  const { criteria: ofType } = defaults;
  const { criteria } = task;
  if (!isRecord(ofType) || ofType['policy'] === undefined || !isRecord(criteria)) return task;
  return { ...task, criteria: { policy: ofType['policy'], ...criteria } };
}

/** The tasks a request is to create, each with its place in it. */
function placesOf({ task, tasks, graph, ...rest }: NewTasks, below = ''): readonly Place[] {
  if (graph !== undefined) return placesOf(graph, '/graph');
  if (tasks !== undefined)
    return tasks.map((one, index) => ({ task: one, pointer: `${below}/tasks/${index}` }));
  return [task === undefined ? { task: rest as CreateTask, pointer: below } : { task, pointer: '/task' }];
}

/** The same request with each of its tasks as `map` gives it; what is no such request stays as it is. */
async function mapTasks(request: unknown, map: (task: unknown) => Promise<unknown>): Promise<unknown> {
  if (!isRecord(request)) return request;
  const { task, tasks, graph } = request;
  if (Array.isArray(tasks)) return { ...request, tasks: await Promise.all(tasks.map(map)) };
  if (isRecord(graph)) return { ...request, graph: await mapTasks(graph, map) };
  return isRecord(task) ? { ...request, task: await map(task) } : map(request);
}

function orError<T>(work: () => T): T | DomainError {
  try {
    return work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(code: 'VALIDATION_FAILED' | 'INVALID_RESULT', what: string, errors: readonly Problem[]) {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const asked = first?.code === 'policy' ? '' : ', as its type asks';
  const message = `${what}: ${first?.pointer} ${first?.detail}${more}${asked}`;
  return new DomainError(code, message, { details: { errors } });
}
