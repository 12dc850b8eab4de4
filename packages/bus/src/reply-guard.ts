import { agentOfSubject } from '@baton/contracts';

/**
 * Whether a request on `subject` may be answered at `reply`. An agent chooses its reply subject freely: answered
 * blindly, Baton would publish for it where the agent itself may not. `_R_.` is what servers make of a reply
 * subject that crosses accounts; no client can send it.
 */
export function mayReplyTo(reply: string | undefined, subject: string): boolean {
  if (!reply || !subject.startsWith('agent.')) return true;
  return reply.startsWith(`_INBOX.${agentOfSubject(subject)}.`) || reply.startsWith('_R_.');
}
