import { inboxDelivery, type InboxItem } from '@baton/contracts';
import { createRecent } from './recent.js';
import type { AgentLogger } from './logger.js';

/** Hears the end of a task this agent created; an item is acknowledged once every listener is through. */
export type EndListener = (item: InboxItem) => void | Promise<void>;

/** Ends of tasks, each handed to the listeners once, though Baton repeats it until acknowledged. */
export type Inbox = {
  /** Returns how to stop listening. */
  listen(listener: EndListener): () => void;
  /** Resolves with the ids to acknowledge: not those whose listener threw, which Baton will repeat. */
  deliver(delivery: unknown): Promise<string[]>;
};

export function createInbox(options: { readonly id: string; readonly logger: AgentLogger }): Inbox {
  const listeners = new Set<EndListener>();
  const heard = createRecent<true>(10_000);
  const inHand = new Map<string, Promise<boolean>>();

  async function hear(item: InboxItem): Promise<boolean> {
    try {
      await Promise.all([...listeners].map(async (listener) => listener(item)));
      heard.set(item.id, true);
      return true;
    } catch (error) {
      options.logger.warn(`agent ${options.id}: a listener failed on the end of task ${item.taskId}`, error);
      return false;
    } finally {
      inHand.delete(item.id);
    }
  }

  function hearOnce(item: InboxItem): Promise<boolean> {
    if (heard.get(item.id)) return Promise.resolve(true);
    // Begun a tick later: a listener that throws at once must not be through before it is in hand.
    const hearing = inHand.get(item.id) ?? Promise.resolve(item).then(hear);
    inHand.set(item.id, hearing);
    return hearing;
  }

  return {
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async deliver(delivery) {
      const parsed = inboxDelivery.safeParse(delivery);
      if (!parsed.success) {
        options.logger.warn(`agent ${options.id}: ignored a malformed inbox message`, parsed.error.issues);
        return [];
      }
      const { items } = parsed.data;
      const results = await Promise.all(items.map(hearOnce));
      return items.filter((_, index) => results[index]).map((item) => item.id);
    },
  };
}
