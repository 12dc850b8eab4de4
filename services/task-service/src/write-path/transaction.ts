import { agentOf, DomainError } from '@baton/contracts';
import { v7 } from 'uuid';
import { insertInbox } from '../agents/inbox.store.js';
import { writeParts, type Part } from '../database/parts.js';
import type { Client } from '../database/database.js';
import { insertOutbox, type OutboxRow } from '../outbox/outbox.store.js';
import { toMessages } from '../outbox/outbox.messages.js';
import { reviseTasks } from '../tasks/revision.store.js';
import { lockGraph, saveEdges } from '../tasks/edge.store.js';
import { mayCloseCycle } from '../tasks/edges.decide.js';
import { keepSpending, lockEdges, lockTold, removeTasks } from '../tasks/removal.store.js';
import * as store from '../tasks/task.store.js';
import { writeAudit } from './audit.service.js';
import { insertAudit } from './audit.store.js';
import type { Removal } from './batch.removals.js';
import { Batch } from './batch.js';
import { inboxRows, toldOfEnd } from './inbox.rows.js';
import { findAccepted, insertEvents, type EventRow } from './event.store.js';
import { repeatedInBatch, replayed, settleKeys, takeKeys, type DecidedKey } from './batch.keys.js';
import { keyName } from './idempotency.store.js';
import { load } from './load.js';
import type { Committed, Settled, Submission } from './submission.js';
import type { Task } from '../tasks/task.js';

/** What a transaction did, to be told once it is committed. */
export type Written = {
  readonly settled: readonly Settled[];
  readonly outbox: OutboxRow | undefined;
  readonly events: readonly EventRow[];
  readonly committed: readonly Committed[];
  readonly offerAgain: readonly Task[];
  /** Agents in whose inbox something was put. */
  readonly notified: readonly string[];
};

/**
 * One batch inside an open transaction: keys, tasks, related tasks, agents are locked in this order and no other,
 * every command is decided in memory, and everything is saved set-wise. Statements per batch: at most 15 whatever
 * its size; a batch of starts or completes takes 4 with BEGIN and COMMIT, one of creates 4, one of assignments 6.
 */
export async function writeBatch(db: Client, submissions: readonly Submission[]): Promise<Written> {
  if (submissions.some(({ command }) => mayCloseCycle(command))) await lockGraph(db);
  const stored = await takeKeys(db, submissions);
  const replays = submissions.map((submission) => replayed(submission, stored));
  const batch = new Batch(await load(db, submissions, replays));
  const decidedKeys = new Map<string, DecidedKey>();
  const decidedCommands = new Map<string, Settled>();
  const settle = (submission: Submission, index: number): Settled => {
    const replay = replays[index] ?? repeatedInBatch(submission, decidedKeys);
    if (replay !== undefined) return batch.refuseParent(submission.command) ?? replay;
    const repeated = decidedCommands.get(commandName(submission));
    if (repeated !== undefined) return repeated;
    const outcome = batch.decide(submission);
    const { idempotency, commandId } = submission;
    if (idempotency) decidedKeys.set(keyName(idempotency), { idempotency, outcome });
    // The same command twice in one batch: its sender did not wait for the answer, which is the same.
    if (commandId !== null && !(outcome instanceof DomainError))
      decidedCommands.set(commandName(submission), outcome);
    return outcome;
  };
  const settled: Settled[] = [];
  for (const index of deletesLast(submissions)) {
    const submission = submissions[index];
    if (submission !== undefined) settled[index] = settle(submission, index);
  }
  const answers = await forgiveRepeated(db, submissions, settled);
  const { outbox, notified } = await save(db, batch);
  await settleKeys(db, submissions, replays, answers);
  await auditRefusals(db, submissions, answers);
  const { events, committed, offerAgain } = batch;
  return { settled: answers, outbox, events, committed, offerAgain, notified };
}

/** The places of a batch in the order they are decided: a task goes when nothing else of the batch needs it. */
function deletesLast(submissions: readonly Submission[]): readonly number[] {
  const isDelete = (index: number) => submissions[index]?.command.kind === 'delete';
  const places = [...submissions.keys()];
  return [...places.filter((index) => !isDelete(index)), ...places.filter(isDelete)];
}

function commandName({ command, actor, commandId }: Submission): string {
  return `${command.kind === 'create' ? '' : command.taskId} ${actor} ${commandId ?? ''}`;
}

/** A command about to be refused may be the repetition of one that was accepted and whose answer was lost. */
async function forgiveRepeated(
  db: Client,
  submissions: readonly Submission[],
  settled: readonly Settled[],
): Promise<readonly Settled[]> {
  const refused = submissions.flatMap((submission, index) =>
    isRepeatable(settled[index]) && submission.commandId !== null && submission.command.kind !== 'create'
      ? [
          {
            taskId: submission.command.taskId,
            commandId: submission.commandId,
            actor: submission.actor,
            index,
          },
        ]
      : [],
  );
  if (refused.length === 0) return settled;
  const accepted = await findAccepted(db, refused);
  const answers = [...settled];
  for (const { commandId, taskId, actor, index } of refused) {
    const before = accepted.find(
      (row) => row.commandId === commandId && row.taskId === taskId && row.actor === actor,
    );
    if (before === undefined) continue;
    const { version, attempt, status } = before;
    const answer = { taskId, version, attempt, status: status as Task['status'] };
    answers[index] = { accepted: [answer], replayed: true, tasks: [] };
  }
  return answers;
}

function isRepeatable(settled: Settled | undefined): boolean {
  if (!(settled instanceof DomainError)) return false;
  return (
    settled.code === 'STALE_ATTEMPT' ||
    settled.code === 'STALE_SESSION' ||
    settled.code === 'VERSION_MISMATCH' ||
    settled.code === 'TASK_STATE_CONFLICT' ||
    settled.code === 'TASK_NOT_FOUND'
  );
}

/** Bounds of one statement: a graph of 10,000 tasks, or 64 MiB of descriptions, take several, none of which is long. */
const STATEMENT_ROWS = 1_000;
const STATEMENT_CHARACTERS = 4 * 1024 * 1024;

/** Rows cut into statements by their number and the length of the longest thing in them. */
function statementsOf<T>(rows: readonly T[], textOf: (row: T) => string): readonly (readonly T[])[] {
  const statements: T[][] = [];
  let characters = 0;
  for (const row of rows) {
    const last = statements.at(-1);
    characters += textOf(row).length;
    if (last !== undefined && last.length < STATEMENT_ROWS && characters <= STATEMENT_CHARACTERS) {
      last.push(row);
      continue;
    }
    statements.push([row]);
    characters = textOf(row).length;
  }
  return statements;
}

/** All of a batch, in one statement unless it is very large. */
async function save(db: Client, batch: Batch): Promise<Pick<Written, 'outbox' | 'notified'>> {
  const [inserts = [], ...moreInserts] = statementsOf(
    batch.inserts,
    ({ definition }) => definition.description,
  );
  const [events = [], ...moreEvents] = statementsOf(batch.events, ({ data }) => data);
  for (const more of moreInserts) await writeParts(db, insertParts(more));
  for (const more of moreEvents) await writeParts(db, [insertEvents(more)]);
  const revisions = batch.revisions();
  // Before the state, in a statement of its own: one statement can change a row once.
  if (revisions.length > 0) await writeParts(db, [reviseTasks(revisions)]);
  const updates = batch.updates();
  const outbox = events.length === 0 ? undefined : { id: v7(), messages: toMessages(batch.published, v7) };
  const parts = [
    ...insertParts(inserts),
    ...(updates.length > 0 ? [store.updateTasks(updates)] : []),
    ...(outbox === undefined ? [] : [insertEvents(events), insertOutbox(outbox)]),
  ];
  if (parts.length === 0) return { outbox, notified: [] };
  const updated = (await writeParts(db, parts)).get('changed_tasks') ?? 0;
  const { gone } = batch.removals;
  const edges = batch.edges();
  if (gone.size > 0 || edges.length > 0)
    await lockEdges(
      db,
      [...gone.keys()],
      edges.map(({ taskId }) => taskId),
    );
  if (gone.size > 0) await saveRemovals(db, [...gone.values()]);
  if (edges.length > 0) await saveEdges(db, edges);
  // Locked, and yet not at the version it was read at: a fault of ours that must not be committed.
  if (updated !== updates.length) {
    throw new Error(`expected to update ${updates.length} locked tasks, updated ${updated}`);
  }
  return { outbox, notified: await saveInbox(db, batch) };
}

function insertParts(inserts: readonly store.TaskInsert[]): readonly Part[] {
  const definitions = inserts.map(({ definition }) => definition);
  const hasDependencies = definitions.some(({ dependencies }) => dependencies.length > 0);
  return [
    ...(inserts.length > 0 ? [store.insertTasks(inserts)] : []),
    ...(hasDependencies ? [store.insertDependencies(definitions)] : []),
  ];
}

/** The rows go; what they were stays in the audit log. */
async function saveRemovals(db: Client, removals: readonly Removal[]): Promise<void> {
  const ids = removals.map(({ task }) => task.id);
  await lockTold(db, ids);
  await keepSpending(db, ids);
  await writeParts(db, removeTasks(ids));
  const entries = removals.map(({ task, actor }) => {
    const { id, type, status, statusReason, version, createdBy, parentTaskId, rootTaskId } = task;
    const detail = { type, status, statusReason, version, createdBy, parentTaskId, rootTaskId };
    return { actor, action: 'task.delete', subject: id, code: null, detail };
  });
  await insertAudit(db, entries);
}

async function saveInbox(
  db: Client,
  { ended, told }: Pick<Batch, 'ended' | 'told'>,
): Promise<readonly string[]> {
  const concerned = ended.filter(
    ({ parentTaskId, createdBy, delegationChain }) =>
      parentTaskId !== null || delegationChain.length > 0 || agentOf(createdBy) !== undefined,
  );
  if (concerned.length === 0 && told.length === 0) return [];
  const parents = concerned.map(({ parentTaskId }) => parentTaskId).filter((id) => id !== null);
  const holders = parents.length === 0 ? new Map() : await store.findHolders(db, [...new Set(parents)]);
  const rows = inboxRows([...concerned.map((task) => toldOfEnd(task, holders)), ...told]);
  if (rows.length > 0) await insertInbox(db, rows);
  return [...new Set(rows.map(({ agentId }) => agentId))];
}

/** What an agent was refused about a task is kept; a lost race between distributors is an ordinary answer. */
async function auditRefusals(
  db: Client,
  submissions: readonly Submission[],
  settled: readonly Settled[],
): Promise<void> {
  const entries = submissions.flatMap(({ command, actor, commandId }, index) => {
    const refusal = settled[index];
    if (!(refusal instanceof DomainError) || agentOf(actor) === undefined || command.kind === 'create')
      return [];
    const detail = { message: refusal.message, commandId, ...refusal.details };
    return [{ actor, action: `task.${command.kind}`, subject: command.taskId, code: refusal.code, detail }];
  });
  if (entries.length > 0) await writeAudit(db, entries);
}
