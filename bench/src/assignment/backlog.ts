import type { BacklogAnswer, BacklogRequest, QueuedTask } from '@baton/contracts';
import { compareTasks, isBehind } from '@baton/distribution-service/engine';

/** What waits, as the database has it. */
export type Backlog = {
  add(task: QueuedTask): void;
  remove(task: QueuedTask): void;
  has(task: QueuedTask): boolean;
  read(asked: NonNullable<BacklogRequest['classes']>): BacklogAnswer['classes'];
  /** The first task of every class. */
  firsts(): readonly QueuedTask[];
};

/** A backlog of nothing. */
export function createBacklog(): Backlog {
  const classes = new Map<string, QueuedTask[]>();
  const of = (task: QueuedTask) => classes.get(task.needs.backlogClass) ?? [];

  return {
    add(task) {
      const tasks = of(task);
      tasks.splice(
        placeOf(tasks, (other) => compareTasks(other, task) < 0),
        0,
        task,
      );
      classes.set(task.needs.backlogClass, tasks);
    },
    remove(task) {
      const tasks = of(task);
      const place = placeOf(tasks, (other) => compareTasks(other, task) < 0);
      if (tasks[place]?.id === task.id) tasks.splice(place, 1);
    },
    has(task) {
      const tasks = of(task);
      return tasks[placeOf(tasks, (other) => compareTasks(other, task) < 0)]?.id === task.id;
    },
    read: (asked) =>
      asked.map(({ backlogClass, after, limit }) => {
        const tasks = classes.get(backlogClass) ?? [];
        const start = after === undefined ? 0 : placeOf(tasks, (task) => !isBehind(task, after));
        return { backlogClass, tasks: tasks.slice(start, start + limit), more: start + limit < tasks.length };
      }),
    firsts: () => [...classes.values()].flatMap(([first]) => (first === undefined ? [] : [first])),
  };
}

/** The first place at which `isBefore` does not hold. */
function placeOf(tasks: readonly QueuedTask[], isBefore: (task: QueuedTask) => boolean): number {
  let [low, high] = [0, tasks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(tasks[middle] as QueuedTask)) low = middle + 1;
    else high = middle;
  }
  return low;
}
