import type { Bus } from '@baton/bus';
import { HINT_SUBJECTS, typesHint, type JsonObject } from '@baton/contracts';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import { compileSchema, type Check } from './json-schema.js';
import {
  findSummaries,
  findType,
  readPause,
  readRevision,
  type Pause,
  type TypeSummary,
} from './type.store.js';

/** A type with what its tasks are filled in and checked with. */
export type UsableType = {
  readonly defaults: JsonObject;
  readonly checkInput: Check | undefined;
  readonly checkResult: Check | undefined;
};

const LOOK_MS = 1_000;
/** Compiled types kept: the most recently used. */
const COMPILED = 200;

const NOTHING: UsableType = { defaults: {}, checkInput: undefined, checkResult: undefined };

/**
 * What this process knows of the registered types and the pause: a copy, so that a task of no registered type costs
 * nothing. Changes made here are known at once, those of other replicas by their hint, and within a second without it.
 * Schemas are compiled once for each version of a type.
 */
export class TypeRegistry {
  readonly loop: Loop;
  private summaries: ReadonlyMap<string, TypeSummary> = new Map();
  private kept: Pause | null = null;
  private revision = '';
  private refreshing: Promise<void> | undefined;
  private isOutdated = false;
  private readonly compiled = new Map<string, Promise<UsableType>>();

  constructor(
    private readonly pool: Pool,
    bus: Bus,
    logger: Logger,
  ) {
    this.loop = new Loop('look for changed task types', LOOK_MS, () => this.refresh(), logger);
    bus.subscribe(HINT_SUBJECTS.types, (body) => {
      const hint = typesHint.safeParse(body);
      if (hint.success && hint.data.changed) void this.loop.run();
    });
  }

  /** Reads what changed, if anything did; rejects when the database cannot be asked. */
  refresh(): Promise<void> {
    // A read under way may have begun before the change that is asked about.
    this.isOutdated = true;
    this.refreshing ??= this.readUntilNew().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  get pause(): Pause | null {
    return this.kept;
  }

  /** Whether anything is held back from distribution, or may come to be by its number. */
  get holdsBack(): boolean {
    return this.kept !== null || this.some(({ paused, maxConcurrent }) => paused || maxConcurrent !== null);
  }

  get all(): readonly TypeSummary[] {
    return [...this.summaries.values()];
  }

  /** Whether any type has something of this kind: most deployments have none, and pay nothing. */
  some(has: (summary: TypeSummary) => boolean): boolean {
    for (const summary of this.summaries.values()) if (has(summary)) return true;
    return false;
  }

  /** The type as it is now, ready for use; one that is not registered asks for nothing. */
  async usable(type: string): Promise<UsableType> {
    const summary = this.summaries.get(type);
    if (summary === undefined) return NOTHING;
    const name = `${type} ${summary.version}`;
    const found = this.compiled.get(name) ?? this.compile(type);
    // The latest used stands last.
    this.compiled.delete(name);
    this.compiled.set(name, found);
    const [oldest] = this.compiled.size > COMPILED ? this.compiled.keys() : [];
    if (oldest !== undefined) this.compiled.delete(oldest);
    found.catch(() => this.compiled.delete(name));
    return found;
  }

  private async compile(type: string): Promise<UsableType> {
    const found = await findType(this.pool, type);
    if (found === undefined) return NOTHING;
    const { defaults, inputSchema, resultSchema } = found;
    return {
      defaults,
      checkInput: inputSchema === null ? undefined : compileSchema(inputSchema, '/inputSchema'),
      checkResult: resultSchema === null ? undefined : compileSchema(resultSchema, '/resultSchema'),
    };
  }

  private async readUntilNew(): Promise<void> {
    while (this.isOutdated) {
      this.isOutdated = false;
      await this.read();
    }
  }

  private async read(): Promise<void> {
    // First the revision: what is read after it is as new, or newer and read again.
    const revision = await readRevision(this.pool);
    if (revision === this.revision) return;
    const [summaries, pause] = await Promise.all([findSummaries(this.pool), readPause(this.pool)]);
    this.summaries = new Map(summaries.map((summary) => [summary.type, summary]));
    this.kept = pause;
    this.revision = revision;
  }
}
