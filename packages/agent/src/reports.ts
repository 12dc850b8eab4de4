import { LIMITS, type LogLevel, type ReportVerb, type TaskAnswer } from '@baton/contracts';
import { fromErrorBody } from './errors.js';
import type { Run } from './runs.js';

/** What runs leave with their tasks: lines of a log, artifacts, checkpoints. */
export type Reports = {
  /** Resolves when Baton has it; rejects with why it does not. */
  save(run: Run, verb: ReportVerb, fields: object): Promise<void>;
  /** Never fails a handler: what Baton does not take is dropped, and no more is sent when the log is full. */
  log(run: Run, level: LogLevel, message: string): void;
  /** Resolves when all that the run left is answered: behind its end nothing is taken any more. */
  settled(run: Run): Promise<void>;
};

type Left = { lines: number; readonly unanswered: Set<Promise<unknown>> };

export function createReports(
  send: (run: Run, verb: ReportVerb, fields: object) => Promise<TaskAnswer>,
): Reports {
  const byRun = new WeakMap<Run, Left>();

  function leftBy(run: Run): Left {
    const left = byRun.get(run) ?? { lines: 0, unanswered: new Set() };
    byRun.set(run, left);
    return left;
  }

  async function save(run: Run, verb: ReportVerb, fields: object): Promise<void> {
    const { unanswered } = leftBy(run);
    const sent = send(run, verb, fields);
    const answered = sent.catch(() => undefined);
    unanswered.add(answered);
    void answered.then(() => unanswered.delete(answered));
    const answer = await sent;
    if (!answer.ok) throw fromErrorBody(answer.error);
  }

  return {
    save,
    log(run, level, message) {
      const left = leftBy(run);
      const line = storable(message, LIMITS.logCharacters);
      if (line === '' || left.lines >= LIMITS.logLines) return;
      left.lines += 1;
      save(run, 'log', { level, message: line }).catch((error: { readonly code?: string }) => {
        if (error.code === 'TOO_MANY_LOG_LINES') left.lines = LIMITS.logLines;
      });
    },
    async settled(run) {
      await Promise.all(leftBy(run).unanswered);
    },
  };
}

/** The beginning of a text, with U+FFFD for what Baton cannot store: NUL, and halves of characters, as a cut leaves. */
function storable(text: string, characters: number): string {
  return text.slice(0, characters).replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}
