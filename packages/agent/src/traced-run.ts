import { ATTRIBUTES, inSpan } from '@baton/telemetry';
import { SpanStatusCode, type Span } from '@opentelemetry/api';
import type { Outcome } from './outcome.js';
import type { Run } from './runs.js';

/** The span of a run, as far as there is one. */
export type RunSpan = { ended(outcome: Outcome): void };

/**
 * Works on a task in a span of its trace (`invoke_agent`), linked to those of earlier attempts. What the handler does
 * is below it: its own spans, the tasks it creates, what it says of the task.
 */
export function tracedRun(
  agentId: string,
  { assignment }: Run,
  work: (span: RunSpan) => Promise<void>,
): Promise<void> {
  const { task, attempt, previousAttempts } = assignment;
  const plan = {
    name: `invoke_agent ${agentId}`,
    of: () => [task.traceparent],
    links: () => previousAttempts.map(({ traceparent }) => traceparent),
    isStart: true,
    attributes: () => ({
      [ATTRIBUTES.genAiOperation]: 'invoke_agent',
      [ATTRIBUTES.genAiAgentId]: agentId,
      [ATTRIBUTES.genAiAgentName]: agentId,
      [ATTRIBUTES.genAiConversation]: task.rootTaskId,
      [ATTRIBUTES.taskId]: task.id,
      [ATTRIBUTES.taskType]: task.type,
      [ATTRIBUTES.taskPriority]: task.priority,
      [ATTRIBUTES.taskAttempt]: attempt,
    }),
  } as const;
  return inSpan(plan, (span) => work({ ended: (outcome) => span && tell(span, outcome) }));
}

function tell(span: Span, { verb, fields }: Outcome): void {
  span.setAttribute(ATTRIBUTES.taskOutcome, verb);
  const { usage, error } = fields as {
    readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
    readonly error?: { readonly code?: string };
  };
  if (usage !== undefined) {
    span.setAttribute(ATTRIBUTES.genAiInputTokens, usage.inputTokens);
    span.setAttribute(ATTRIBUTES.genAiOutputTokens, usage.outputTokens);
  }
  if (verb !== 'fail') return;
  span.setAttribute(ATTRIBUTES.errorType, error?.code ?? 'failed').setStatus({ code: SpanStatusCode.ERROR });
}
