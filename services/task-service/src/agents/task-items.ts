import { DomainError, parse, taskItems, type TaskAnswer, type TaskItemsAnswer } from '@baton/contracts';

/** Answers one command, or each of several in one message. */
export async function eachItem(
  body: unknown,
  answer: (items: readonly unknown[]) => Promise<readonly TaskAnswer[]>,
): Promise<TaskAnswer | TaskItemsAnswer> {
  const isBatch = typeof body === 'object' && body !== null && 'items' in body;
  const items = isBatch ? parse(taskItems, body, 'Items').items : [body];
  const answers = await answer(items);
  const [first] = answers;
  return isBatch || first === undefined ? { ok: true, items: answers } : first;
}

/** What `work` gives, or what it was refused for. */
export function orRefusal<T>(work: () => T): T | DomainError {
  try {
    return work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** A refusal as the item's answer. */
export function refused(error: DomainError): TaskAnswer {
  return { ok: false, error: error.toBody() };
}
