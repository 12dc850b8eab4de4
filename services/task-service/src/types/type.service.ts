import type { Bus } from '@baton/bus';
import {
  DomainError,
  HINT_SUBJECTS,
  LIMITS,
  type Actor,
  type ListTaskTypes,
  type PauseView,
  type PutTaskType,
  type TaskTypeView,
  type TypesHint,
} from '@baton/contracts';
import type { Client, Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Cursors } from '../tasks/cursor.js';
import type { Page } from '../tasks/cursor.js';
import type { Caller } from '../tasks/task.service.js';
import { writeAudit } from '../write-path/audit.service.js';
import { answerOnce, type Answered } from '../write-path/answer.keys.js';
import { compileSchema } from './json-schema.js';
import type { TypeRegistry } from './type.registry.js';
import * as store from './type.store.js';

/** Use cases of operators on task types and on the pause of everything. */
export class TypeService {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly registry: TypeRegistry,
    private readonly cursors: Cursors,
  ) {}

  /** Makes or replaces a type; refuses schemas that cannot be used. */
  async put(
    type: string,
    definition: PutTaskType,
    { actor }: Pick<Caller, 'actor'>,
  ): Promise<{ readonly view: TaskTypeView; readonly isNew: boolean }> {
    const { inputSchema, resultSchema } = definition;
    if (inputSchema !== null) compileSchema(inputSchema, '/inputSchema');
    if (resultSchema !== null) compileSchema(resultSchema, '/resultSchema');
    return this.change(actor, 'type.put', type, async (db) => {
      const before = await store.findType(db, type);
      if (before === undefined && (await store.countTypes(db)) >= LIMITS.taskTypes) {
        const message = `${LIMITS.taskTypes} types are registered, as many as may be; remove one first`;
        throw new DomainError('TOO_MANY_TYPES', message);
      }
      const view = await store.saveType(db, type, definition, actor);
      if (view === undefined) throw new Error(`the type ${type} is not there after it was written`);
      return { view, isNew: before === undefined };
    });
  }

  async get(type: string): Promise<TaskTypeView> {
    const found = await store.findType(this.pool, type);
    if (found === undefined) throw typeNotFound(type);
    return found;
  }

  async list({ cursor, limit }: ListTaskTypes): Promise<Page<TaskTypeView>> {
    const after = cursor === undefined ? '' : this.cursors.decode(cursor);
    const types = await store.listTypes(this.pool, after, limit + 1);
    const data = types.slice(0, limit);
    const last = data.at(-1);
    const hasMore = types.length > limit;
    return { data, page: { next: hasMore && last ? this.cursors.encode(last.type) : null, hasMore } };
  }

  /** Its tasks go on as tasks of a type nobody registered. */
  async remove(type: string, { actor }: Pick<Caller, 'actor'>): Promise<void> {
    await this.change(actor, 'type.delete', type, async (db) => {
      if (!(await store.deleteType(db, type))) throw typeNotFound(type);
    });
  }

  async readPause(): Promise<PauseView> {
    return toView(await store.readPause(this.pool));
  }

  /** Holds back all distribution until `resume`; a pause that is there stays as it began. */
  pause(reason: string | null, caller: Caller) {
    return this.changePause('pause', caller, (db) => store.insertPause(db, { by: caller.actor, reason }));
  }

  resume(caller: Caller) {
    return this.changePause('resume', caller, store.deletePause);
  }

  private changePause(
    action: 'pause' | 'resume',
    { actor, idempotency }: Caller,
    work: (db: Client) => Promise<void>,
  ): Promise<Answered<PauseView>> {
    return answerOnce(this.pool, idempotency, async () => {
      await this.change(actor, action, 'everything', work);
      return this.readPause();
    });
  }

  /** One change at a time in the whole deployment: the revision is its lock. Told to everybody once committed. */
  private async change<T>(
    actor: Actor,
    action: string,
    subject: string,
    work: (db: Client) => Promise<T>,
  ): Promise<T> {
    const outcome = await inTransaction(this.pool, async (db) => {
      await store.raiseRevision(db);
      const done = await work(db);
      await writeAudit(db, [{ actor, action, subject, code: null, detail: {} }]);
      return done;
    });
    await this.registry.refresh();
    this.bus.publishHint(HINT_SUBJECTS.types, { changed: true, room: [] } satisfies TypesHint);
    return outcome;
  }
}

function toView(pause: store.Pause | null): PauseView {
  if (pause === null) return { paused: false, since: null, by: null, reason: null };
  return { paused: true, ...pause };
}

function typeNotFound(type: string): DomainError {
  return new DomainError('TYPE_NOT_FOUND', `The type ${type} is not registered`);
}
