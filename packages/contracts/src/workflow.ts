import { z } from 'zod';
import { jsonValue, text } from './json.js';
import { LIMITS } from './limits.js';
import { dependencyPolicy } from './task.js';
import { actor, timestamp, word } from './words.js';

/** Whom or what a task may wait for at its holder's word, beside its children. */
const questionReason = z.enum(['input', 'approval', 'auth', 'external']);

/** A few lines for people; what is larger belongs into an artifact. */
const question = text({ min: 1, maxBytes: 8 * 1024 });

/** How many children must have ended: every one, one, or so many. */
const awaitedChildren = z.union([
  z.enum(['all', 'any']),
  z.number().int().min(1).max(LIMITS.childrenPerTask),
]);

/** What a holder says when it gives its slot away until something named has happened. */
export const blockForChildren = { reason: z.literal('children'), children: awaitedChildren };
export const blockForAnswer = { reason: questionReason, question };
export type Block =
  | { readonly reason: 'children'; readonly children: z.infer<typeof awaitedChildren> }
  | { readonly reason: z.infer<typeof questionReason>; readonly question: string };

/** Answers are stored with the history: no place for secrets. */
const answer = jsonValue.refine((value) => Buffer.byteLength(JSON.stringify(value)) <= LIMITS.answerBytes, {
  message: `at most ${LIMITS.answerBytes} bytes of JSON`,
});

export const answerFields = {
  answer: answer.optional(),
  denied: z.literal(true).optional(),
  reason: text({ maxCharacters: 255 }).optional(),
  /** Refused when the task was handed out since: the question is another one. */
  attempt: z.int32().min(0).optional(),
};
type Answered = { readonly answer?: unknown; readonly denied?: true | undefined };
export const isOneAnswer = ({ answer: given, denied }: Answered) =>
  (given === undefined) === (denied === true);
export const isOneAnswerMessage = 'expected an answer, or denied: true';

/** Body of `POST /v1/tasks/{id}/answer`: the answer its next attempt gets, or that there is none. */
export const answerTask = z.strictObject(answerFields).refine(isOneAnswer, isOneAnswerMessage);
/** Body of `POST /v1/tasks/{id}/unblock`: what came from outside, if it is to be told. */
export const unblockTask = z.strictObject({ answer: answer.optional() });

/** Body of `PUT /v1/tasks/{id}/dependencies/{other}`. */
export const linkTask = z.strictObject({
  policy: dependencyPolicy.default('fail'),
  name: word.optional(),
});

/** What a task was blocked for and what was said to it. `answer` is null until then. */
export const taskQuestion = z.object({
  attempt: z.number().int(),
  reason: questionReason,
  question: z.string(),
  askedAt: timestamp,
  answer: jsonValue.nullable(),
  answeredBy: actor.nullable(),
  answeredAt: timestamp.nullable(),
});
export type TaskQuestion = Readonly<z.infer<typeof taskQuestion>>;

/** Query of the lists of a task's relatives: pages in order of creation. */
export const listRelatives = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMITS.listPage).default(50),
  cursor: z.string().max(512).optional(),
});
export type ListRelatives = z.infer<typeof listRelatives>;
