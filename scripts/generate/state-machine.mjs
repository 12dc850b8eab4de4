import { describeAccess, TASK_STATUSES, TERMINAL_STATUSES } from '../../packages/contracts/dist/index.js';
import { ARROWS, endsOf, LOOPS } from '../../services/task-service/dist/tasks/task.state.js';
import { code, generatedNote, table } from './markdown.mjs';

/** `docs/state-machine.md`: the life cycle of a task, from the table that decides it. */
export function renderStateMachine() {
  const arrows = Object.entries(ARROWS);
  const rows = arrows.map(([name, { from, to, events }]) => [
    code(name),
    from.length > 0 ? from.map(code).join(', ') : '–',
    LOOPS.has(name) ? 'the same' : to.map(code).join(', '),
    events.map(code).join(', '),
    describeAccess(`task.${name}`),
  ]);
  return `${generatedNote('services/task-service/src/tasks/task.state.ts')}

# The life of a task

Nothing but these commands changes the status of a task. Whatever is not listed is refused with
\`TASK_STATE_CONFLICT\`, which names the state. Every accepted command raises the task's version by one and writes
exactly one event. ${TERMINAL_STATUSES.map(code).join(', ')} are final unless the task is
reopened.

\`\`\`mermaid
stateDiagram-v2
${diagram(arrows.filter(([name]) => !LOOPS.has(name)))}
\`\`\`

${table(['Command', 'From', 'To', 'Event', 'Issued by'], rows)}
`;
}

// One line for each pair of states, with all commands that lead from one to the other.
function diagram(arrows) {
  const names = new Map();
  for (const [name, { from }] of arrows) {
    for (const start of from.length > 0 ? from : ['[*]']) {
      for (const end of endsOf(name, start))
        names.set(`${start} --> ${end}`, [...(names.get(`${start} --> ${end}`) ?? []), name]);
    }
  }
  const reached = TASK_STATUSES.filter((status) => arrows.some(([, { to }]) => to.includes(status)));
  const ends = TERMINAL_STATUSES.filter((status) => reached.includes(status));
  return [
    ...[...names].map(([pair, commands]) => `  ${pair}: ${commands.join(', ')}`),
    ...ends.map((status) => `  ${status} --> [*]`),
  ].join('\n');
}
