import { isDeepStrictEqual } from 'node:util';
import { until } from '@baton/testkit';
import type fc from 'fast-check';
import type { Fixture } from '../fixture.js';
import { toWords, type Draws } from './draws.js';
import { settle, type Model } from './model.js';
import { say } from './rules.js';
import { sayTo, type Said } from './service.js';
import { expectSame } from './state.js';
import type { Word } from './words.js';

/** How often what was said and answered. */
export type Counts = Map<string, number>;
type Real = { readonly fixture: Fixture; readonly counts: Counts };

/** Says the same to the model and to the service, and compares what they answer and what has become of everything. */
export class Step implements fc.AsyncCommand<Model, Real> {
  private words: readonly Word[] = [];

  constructor(private readonly draws: Draws) {}

  check(model: Readonly<Model>): boolean {
    const [{ kind }] = this.draws;
    return kind === 'create' || kind === 'chain' || model.tasks.length > 0;
  }

  async run(model: Model, { fixture, counts }: Real): Promise<void> {
    const words = toWords(model, this.draws);
    this.words = words;
    const said = await Promise.all(words.map((word) => sayTo(fixture, word)));
    const orders = words.length === 1 ? [hear(model, words, said)] : hearTogether(model, words, said);
    const models = orders.flatMap((order) =>
      isDeepStrictEqual(order.expected, order.answers) ? [order.model] : [],
    );
    if (models.length === 0) throw disagreement(words, orders);
    const after = await until(() => sameAsOne(fixture, models));
    Object.assign(model, after);
    words.forEach(({ kind }, index) => {
      const { answer } = said[index] ?? {};
      const name = `${words.length === 1 ? '' : 'racing '}${kind} ${answer && 'code' in answer ? answer.code : 'ok'}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
  }

  /** What it said; those a failed run did not come to are not worth a line. */
  toString(): string {
    return this.words.length > 0 ? JSON.stringify(this.words) : '-';
  }
}

/**
 * Said at the same time, they happened in one of both orders, and what follows from the first did so before the second
 * or after it: nobody can know but by what came of it.
 */
function hearTogether(model: Model, words: readonly Word[], said: readonly Said[]) {
  return [false, true].flatMap((isSettledBetween) => [
    hear(model, words, said, isSettledBetween),
    hear(model, words.toReversed(), said.toReversed(), isSettledBetween),
  ]);
}

/** What the model answers to these words in this order, and where that leaves it. */
function hear(before: Model, words: readonly Word[], said: readonly Said[], isSettledBetween = false) {
  const model = structuredClone(before);
  const expected = words.map((word, index) => {
    const answer = say(model, word, said[index]?.ids ?? []);
    if (isSettledBetween) settle(model);
    return answer;
  });
  settle(model);
  return { model, expected, answers: said.map(({ answer }) => answer) };
}

function disagreement(words: readonly Word[], orders: readonly ReturnType<typeof hear>[]): Error {
  const told = orders.map(({ expected, answers }) => ({ expected, got: answers }));
  return new Error(`The model answers otherwise: ${JSON.stringify({ words, told }, null, 2)}`);
}

/** The first of these models that the service is like; fails by the last. */
async function sameAsOne(fixture: Fixture, models: readonly Model[]): Promise<Model | undefined> {
  for (const [index, model] of models.entries()) {
    try {
      await expectSame(fixture, model);
      return model;
    } catch (error) {
      if (index === models.length - 1) throw error;
    }
  }
  return undefined;
}
