import { WAIT_LIMITS } from '@baton/contracts';
import type { FastifyReply } from 'fastify';
import type { WatchService } from '../watching/watch.service.js';
import { goneSignal } from './gone.js';

/**
 * Holds an answer until the task has ended, at most as many seconds as `Prefer: wait=30` asks for (60 at the most);
 * says whether that was asked, and in `Preference-Applied` what was done. Preferences nobody knows are ignored.
 */
export async function heldUntilEnd(
  watches: WatchService,
  taskId: string,
  reply: FastifyReply,
): Promise<boolean> {
  const asked = String(reply.request.headers['prefer'] ?? '');
  const seconds = Number(/(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?/i.exec(asked)?.[1] ?? 0);
  if (seconds === 0) return false;
  const applied = Math.min(seconds, WAIT_LIMITS.preferSeconds);
  await watches.untilEnded(taskId, applied * 1_000, goneSignal(reply));
  void reply.header('preference-applied', `wait=${applied}`);
  return true;
}
