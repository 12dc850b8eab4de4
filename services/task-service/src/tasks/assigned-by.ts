import type { TaskCommand } from './task.state.js';

/** Agents whose rows the command locks, as one of them may have the task afterwards. */
export function assignedBy(command: TaskCommand): string | null {
  switch (command.kind) {
    case 'assign':
    case 'reassign':
      return command.agentId;
    case 'delegate':
      return command.to;
    default:
      return null;
  }
}
