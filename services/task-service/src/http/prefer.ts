import { isTerminal, WAIT_LIMITS, type TaskView } from '@baton/contracts';
import type { FastifyReply } from 'fastify';
import type { WatchService } from '../watching/watch.service.js';
import { goneSignal } from '@baton/runtime';

/**
 * Holds an answer until the task has ended, at most as many seconds as `Prefer: wait=30` asks for (60 at the most);
 * `Preference-Applied` says for how long it would have waited. Whether it waited: the task is to be read again.
 * Preferences nobody knows are ignored.
 */
export async function heldUntilEnd(
  watches: WatchService,
  { id, status }: Pick<TaskView, 'id' | 'status'>,
  reply: FastifyReply,
): Promise<boolean> {
  const asked = String(reply.request.headers['prefer'] ?? '');
  const seconds = Number(/(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?/i.exec(asked)?.[1] ?? 0);
  if (seconds === 0) return false;
  const applied = Math.min(seconds, WAIT_LIMITS.preferSeconds);
  void reply.header('preference-applied', `wait=${applied}`);
  if (isTerminal(status)) return false;
  await watches.untilEnded(id, applied * 1_000, goneSignal(reply.raw));
  return true;
}
