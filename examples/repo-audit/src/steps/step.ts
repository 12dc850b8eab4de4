import type { CreateGraphInput, JsonObject, JsonValue } from '@baton/contracts';

/** What a step gets beside its input. */
export type StepContext = {
  readonly signal: AbortSignal;
  readonly metadata: JsonObject;
  /** Results of the tasks this one waited for, by the name the plan gave them. */
  readonly results: ReadonlyMap<string, JsonValue | null>;
  /** Creates children of the task; answers how many there are. */
  spawn(graph: CreateGraphInput): Promise<number>;
};

/** One kind of work, chosen by the type of the task. What it returns is the result of the task. */
export type Step = (input: JsonObject, context: StepContext) => Promise<JsonObject>;
