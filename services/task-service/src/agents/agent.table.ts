import type { AgentStatus, Capability } from '@baton/contracts';
import { EntitySchema } from 'typeorm';

/** An agent as Postgres has it. */
export type AgentRow = {
  id: string;
  name: string;
  description: string;
  capabilities: readonly Capability[];
  maxConcurrent: number;
  prefetch: number;
  labels: Readonly<Record<string, string>>;
  heartbeatMs: number;
  expireMs: number;
  status: AgentStatus;
  /** By an operator: no hello ends it. */
  drained: boolean;
  epoch: number;
  lastSeenAt: Date | null;
  createdAt: Date;
};

export const AgentTable = new EntitySchema<AgentRow>({
  name: 'Agent',
  tableName: 'agents',
  columns: {
    id: { type: 'varchar', length: 64, primary: true },
    name: { type: 'text' },
    description: { type: 'text' },
    capabilities: { type: 'json' },
    maxConcurrent: { name: 'max_concurrent', type: 'int' },
    prefetch: { type: 'int' },
    labels: { type: 'json' },
    heartbeatMs: { name: 'heartbeat_ms', type: 'int' },
    expireMs: { name: 'expire_ms', type: 'int' },
    status: { type: 'varchar', length: 20 },
    drained: { type: 'boolean', default: false },
    epoch: { type: 'int' },
    lastSeenAt: { name: 'last_seen_at', type: 'timestamptz', nullable: true },
    createdAt: { name: 'created_at', type: 'timestamptz' },
  },
});

export type AgentConnectionRow = { fromAgent: string; toAgent: string; strength: number; createdAt: Date };

export const AgentConnectionTable = new EntitySchema<AgentConnectionRow>({
  name: 'AgentConnection',
  tableName: 'agent_connections',
  columns: {
    fromAgent: { name: 'from_agent', type: 'varchar', length: 64, primary: true },
    toAgent: { name: 'to_agent', type: 'varchar', length: 64, primary: true },
    strength: { type: 'double precision' },
    createdAt: { name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});
