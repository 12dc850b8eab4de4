import type { ListRelatives, TaskDependency, TaskListItem } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { FIRST_ID, type Page as Range } from '../write-path/pages.js';
import type { Cursors, Page } from './cursor.js';
import * as store from './relatives.store.js';
import { findTask } from './task.reader.store.js';
import { taskNotFound } from './task.reading.service.js';
import { toListItem } from './task.view.js';

/** What a task is related to: dependencies, children, its tree. Pages in order of creation, O(page) each. */
export class RelativesService {
  constructor(
    private readonly pool: Pool,
    private readonly cursors: Cursors,
  ) {}

  async dependencies(
    id: string,
    query: ListRelatives,
  ): Promise<Page<TaskDependency & { readonly title: string }>> {
    const task = await this.find(id);
    const read = (range: Range) => store.pageDependencies(this.pool, task, range);
    return this.page(`dependencies:${id}`, query, read, ({ taskId }) => taskId);
  }

  async subtasks(id: string, query: ListRelatives): Promise<Page<TaskListItem>> {
    const task = await this.find(id);
    const read = async (range: Range) => (await store.pageChildren(this.pool, task, range)).map(toListItem);
    return this.page(`subtasks:${id}`, query, read, (child) => child.id);
  }

  /** The root stands first, whatever order the ids of its tree have. */
  async tree(id: string, query: ListRelatives): Promise<Page<TaskListItem>> {
    const task = await this.find(id);
    const { rootTaskId } = task;
    const root = rootTaskId === id ? task : await this.find(rootTaskId);
    const read = async ({ after, limit }: Range) => {
      const isFirst = after === FIRST_ID;
      const range = isFirst
        ? { after, limit: limit - 1 }
        : { after: after === rootTaskId ? FIRST_ID : after, limit };
      const below = await store.pageTree(this.pool, root, range);
      return (isFirst ? [root, ...below] : below).map(toListItem);
    };
    return this.page(`tree:${rootTaskId}`, query, read, (one) => one.id);
  }

  private async page<T>(
    list: string,
    { cursor, limit }: ListRelatives,
    read: (range: Range) => Promise<readonly T[]>,
    idOf: (item: T) => string,
  ): Promise<Page<T>> {
    const after = cursor === undefined ? FIRST_ID : this.cursors.decode(cursor, list);
    const found = await read({ after, limit: limit + 1 });
    const data = found.slice(0, limit);
    const last = data.at(-1);
    const hasMore = found.length > limit;
    return { data, page: { next: hasMore && last ? this.cursors.encode(idOf(last), list) : null, hasMore } };
  }

  private async find(id: string) {
    const task = await findTask(this.pool, id);
    if (task === undefined) throw taskNotFound(id);
    return task;
  }
}
