import { EntitySchema } from 'typeorm';

/** `tasks` as lists read it: never the payload. The write path has its own statements (`task.store.ts`). */
export type TaskListRow = {
  id: string;
  title: string;
  description: string;
  type: string;
  tags: readonly string[];
  metadata: Record<string, unknown>;
  status: string;
  priority: number;
  createdBy: string;
  assignedTo: string | null;
  lastAgentId: string | null;
  parentTaskId: string | null;
  rootTaskId: string;
  estimatedDuration: number | null;
};

export const TaskTable = new EntitySchema<TaskListRow>({
  name: 'Task',
  tableName: 'tasks',
  columns: {
    id: { type: 'uuid', primary: true },
    title: { type: 'varchar', length: 255 },
    description: { type: 'text' },
    type: { type: 'text' },
    tags: { type: 'json' },
    metadata: { type: 'json' },
    status: { type: 'varchar', length: 20 },
    priority: { type: 'int' },
    createdBy: { name: 'created_by', type: 'text' },
    assignedTo: { name: 'assigned_to', type: 'varchar', length: 64, nullable: true },
    lastAgentId: { name: 'last_agent_id', type: 'varchar', length: 64, nullable: true },
    parentTaskId: { name: 'parent_task_id', type: 'uuid', nullable: true },
    rootTaskId: { name: 'root_task_id', type: 'uuid' },
    estimatedDuration: { name: 'estimated_duration', type: 'double precision', nullable: true },
  },
});
