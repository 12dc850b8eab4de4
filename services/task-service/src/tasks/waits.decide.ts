import type { Block, DomainError, JsonValue } from '@baton/contracts';
import { refuseCycle } from './edges.decide.js';
import { verdictOf, type Edge, type Verdict } from './dependency.decide.js';
import { failedBySystem } from './failure.decide.js';
import { changed, conflict, ended, queued, remaining, stale } from './outcome.decide.js';
import { isTerminal, type TaskCommand } from './task.state.js';
import type { Changed, Decided, Related, Task } from './task.js';

type Answer = Extract<TaskCommand, { kind: 'answer' }>;

/** Whoever holds the task gives its slot away until something named has happened. */
export function block(task: Task, related: Related, wait: Block, now: number): Changed | DomainError {
  const waits = {
    status: 'blocked',
    statusReason: wait.reason,
    assignedTo: null,
    assignedAt: null,
    startedAt: null,
    // `queueTimeout` counts each wait from its own beginning.
    queuedAt: now,
  } as const;
  if (wait.reason !== 'children') {
    const detail = { asked: { question: wait.question } };
    return changed(task, 'block', 'task.blocked', now, waits, { detail });
  }
  for (const { id, status } of related.children ?? []) {
    // A failed child may be reopened, a completed one not.
    const refusal = status === 'completed' ? undefined : refuseCycle(task.id, id, related);
    if (refusal) return refusal;
  }
  const awaitedChildren = wait.children === 'any' ? 1 : wait.children;
  return changed(task, 'block', 'task.blocked', now, { ...waits, awaitedChildren });
}

/** A fresh look at what the task waits for; or somebody's word that what is outside of Baton has happened. */
export function unblock(
  task: Task,
  related: Related,
  told: { readonly answer: JsonValue } | undefined,
  now: number,
): Decided | DomainError {
  if (told !== undefined && task.statusReason === 'external') {
    if (task.status !== 'blocked') return conflict(task, 'it waits for nothing');
    return resumed(task, 'unblock', 'unblocked', now, { answered: told });
  }
  const looked = look(task, related, now);
  if (told === undefined || looked.outcome === 'changed') return looked;
  return conflict(task, 'only what a task waits for outside of Baton can be said to have happened');
}

/** The answer its next attempt gets, or that there is none. */
export function answer(task: Task, { answer: said, attempt }: Answer, now: number): Changed | DomainError {
  const reason = task.statusReason ?? '';
  if (task.status !== 'blocked' || !ANSWERED.has(reason)) return conflict(task, 'it asks for no answer');
  if (attempt !== undefined && attempt !== task.attempt) {
    return stale('STALE_ATTEMPT', task, `an answer to what attempt ${attempt} asked`);
  }
  if ('value' in said) return resumed(task, 'answer', 'answered', now, { answered: { answer: said.value } });
  return failedBySystem(task, 'answer', 'denied', said.denied, {}, now);
}

const ANSWERED: ReadonlySet<string> = new Set(['input', 'approval', 'auth']);

function look(task: Task, { dependencies, children }: Related, now: number): Decided {
  if (task.status !== 'blocked') return { outcome: 'unchanged', task };
  if (task.statusReason === 'children') {
    return children !== undefined && areChildrenMet(task, children)
      ? resumed(task, 'unblock', 'unblocked', now)
      : { outcome: 'unchanged', task };
  }
  if (task.statusReason !== 'dependency') return { outcome: 'unchanged', task };
  const verdict = verdictOf(dependencies);
  if (verdict.is === 'unmet') return { outcome: 'unchanged', task };
  if (verdict.is !== 'met') return endedBy(task, verdict, now);
  return changed(task, 'unblock', 'task.queued', now, queued(task, 'unblocked', now, remaining(task, now)));
}

/** So many have ended, or none is left that could: a wait for more children than there are would never end. */
function areChildrenMet(
  { awaitedChildren }: Task,
  children: readonly { readonly status: Task['status'] }[],
): boolean {
  const over = children.filter(({ status }) => isTerminal(status)).length;
  return over === children.length || (typeof awaitedChildren === 'number' && over >= awaitedChildren);
}

/** Ready for its next attempt at once. */
function resumed(
  task: Task,
  arrow: 'unblock' | 'answer',
  reason: 'unblocked' | 'answered',
  now: number,
  detail?: Changed['detail'],
): Changed {
  const more = detail === undefined ? {} : { detail };
  return changed(task, arrow, 'task.queued', now, queued(task, reason, now, 0), more);
}

/** Ends the dependent as the policy of the broken edge says. */
function endedBy(task: Task, { is, cause }: Extract<Verdict, { cause: Edge }>, now: number): Changed {
  const message = `its dependency ${cause.taskId} ${cause.status === 'failed' ? 'failed' : 'was cancelled'}`;
  if (is === 'fail') return failedBySystem(task, 'unblock', 'dependency_failed', message, {}, now);
  return changed(task, 'unblock', 'task.cancelled', now, ended('cancelled', 'dependency_failed', task, now));
}
