import { AgentConnectionTable, AgentTable } from '../agents/agent.table.js';
import { TaskTable } from '../tasks/task.table.js';

export const ENTITIES = [TaskTable, AgentTable, AgentConnectionTable];
