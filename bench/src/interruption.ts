import { once } from 'node:events';
import type { Session } from '@baton/stack';

/** Rejects when the session is interrupted, and never resolves. */
export async function interruption({ interrupted }: Session): Promise<never> {
  if (!interrupted.aborted) await once(interrupted, 'abort');
  throw interrupted.reason;
}
