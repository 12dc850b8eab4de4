import { replaceTask, type PatchTask, type ReplaceTask } from '@baton/contracts';
import type { TaskChanges } from './task.changes.js';

/** Every field of a replacement, as the rules have them; `availableAt` only when it is given. */
export function fieldsOf({ availableAt, ...said }: ReplaceTask): TaskChanges {
  return {
    ...said,
    deadline: milliseconds(said.deadline),
    timeout: said.timeout ?? null,
    queueTimeout: said.queueTimeout ?? null,
    progressTimeout: said.progressTimeout ?? null,
    estimatedDuration: said.estimatedDuration ?? null,
    ...(availableAt === undefined ? {} : { availableAt: milliseconds(availableAt) }),
  };
}

/** What an untitled task would be, for fields that are to be set back. */
const NEW = { ...fieldsOf(replaceTask.parse({ title: 'new' })), availableAt: null };

/** The fields a patch names; null stands for what the field is in a new task. */
export function changedFields({ availableAt, deadline, ...said }: PatchTask): TaskChanges {
  const fields = Object.entries(said).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name, value ?? NEW[name as keyof typeof NEW]] as const];
  });
  return {
    ...(Object.fromEntries(fields) as TaskChanges),
    ...(availableAt === undefined ? {} : { availableAt: milliseconds(availableAt) }),
    ...(deadline === undefined ? {} : { deadline: milliseconds(deadline) }),
  };
}

function milliseconds(time: string | null | undefined): number | null {
  return time === null || time === undefined ? null : Date.parse(time);
}
