import { offer, type Offer, type OfferAnswer } from '@baton/contracts';
import type { AgentLogger } from './logger.js';
import type { Session } from './session.js';

/** Offers of an epoch this process does not know yet, kept until the answer to its hello tells. */
const MAX_HELD = 100;

type Held = { readonly offer: Offer; readonly reply: (answer: OfferAnswer) => void };

export type OfferDesk = {
  receive(body: unknown, reply: (answer: OfferAnswer) => void): void;
  /** The epoch is known (again). */
  release(): void;
};

/** Judges whom an offer is for. Those for another process of the agent are not answered. */
export function createOfferDesk(options: {
  readonly id: string;
  readonly logger: AgentLogger;
  readonly session: Session;
  take(offered: Offer): OfferAnswer;
}): OfferDesk {
  const { id, logger, session } = options;
  let held: Held[] = [];

  function judge(next: Held): void {
    const epoch = session.epoch();
    if (next.offer.epoch === epoch) return next.reply(options.take(next.offer));
    const perhapsOurs = epoch === undefined || next.offer.epoch > epoch;
    if (perhapsOurs && session.isGreeting() && held.length < MAX_HELD) held.push(next);
  }

  return {
    receive(body, reply) {
      const parsed = offer.safeParse(body);
      if (!parsed.success) return logger.warn(`agent ${id}: ignored a malformed offer`, parsed.error.issues);
      judge({ offer: parsed.data as unknown as Offer, reply });
    },
    release() {
      const released = held;
      held = [];
      for (const next of released) judge(next);
    },
  };
}
