import { DomainError, type AgentStatus } from '@baton/contracts';

type AgentSession = {
  readonly agentId: string;
  readonly status: AgentStatus;
  /** The live epoch, or the last one. */
  readonly epoch: number;
  /** The epoch this process instance was given before, if it was. */
  readonly instanceEpoch: number | undefined;
};

/**
 * The epoch of an agent process that says hello. The instance of the live epoch keeps it over reconnects; after
 * expiry or leave, and for an instance never seen, it is the next one; an instance that was replaced is refused for
 * good: two processes of one agent must not take turns.
 */
export function decideEpoch({ agentId, status, epoch, instanceEpoch }: AgentSession): number | DomainError {
  if (instanceEpoch === undefined) return epoch + 1;
  if (instanceEpoch < epoch) {
    return new DomainError(
      'STALE_SESSION',
      `Another process of agent ${agentId} took over (epoch ${epoch}, this one had ${instanceEpoch}). Stop this one.`,
      { details: { epoch: instanceEpoch, liveEpoch: epoch } },
    );
  }
  return status === 'offline' ? epoch + 1 : epoch;
}
