import { STREAMS } from '@baton/contracts';
import { connectOperator } from '@baton/testkit';
import type { System } from './system.js';

/** What the stream of task events holds. */
export type TaskStream = {
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Messages on each subject. */
  readonly subjects: Readonly<Record<string, number>>;
};

type Info = {
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly subjects?: Readonly<Record<string, number>>;
  };
};

/** Asks the server itself, past all wires. */
export async function readTaskStream({ nats }: System): Promise<TaskStream> {
  const connection = await connectOperator(nats);
  try {
    const subject = `$JS.API.STREAM.INFO.${STREAMS.TASKS.name}`;
    const answer = await connection.request(subject, JSON.stringify({ subjects_filter: '>' }));
    const { state } = answer.json<Info>();
    return { firstSequence: state.first_seq, lastSequence: state.last_seq, subjects: state.subjects ?? {} };
  } finally {
    await connection.close();
  }
}
