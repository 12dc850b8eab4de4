import type { EventCursor, EventsAnswer, eventsRequest, TaskEvent } from '@baton/contracts';
import type { z } from 'zod';
import type { Pool } from '../database/database.js';
import { toTaskEvent } from '../tasks/task.events.js';
import { replay, type ReplayedTask } from '../tasks/task.fold.js';
import { findEventsUpTo, findPlaces, type Place } from './event-history.store.js';

/** Bytes of the events of one answer, about: a message must fit the server. */
const ANSWER_BYTES = 512 * 1024;

/** The history as events, for whoever missed some. */
export class EventHistory {
  constructor(private readonly pool: Pool) {}

  /**
   * The page behind `after`. An event is made again from the replay of its task up to it: a page costs the histories of
   * its tasks up to the page, whatever the tables hold.
   */
  async page({ after, taskId, limit, brief }: z.output<typeof eventsRequest>): Promise<EventsAnswer> {
    const { places, horizon } = await findPlaces(this.pool, { after, taskId, limit });
    if (brief) return { ...told(places, []), next: nextOf(places, limit), horizon };
    const events = await this.readEvents(places);
    const fitting = places.slice(0, countFitting(places, events));
    const isCut = fitting.length < places.length;
    return {
      ...told(
        fitting,
        fitting.flatMap((place) => events.get(keyOf(place)) ?? []),
      ),
      next: isCut ? cursorAt(fitting.at(-1)) : nextOf(places, limit),
      horizon,
    };
  }

  private async readEvents(places: readonly Place[]): Promise<ReadonlyMap<string, TaskEvent>> {
    const upTo = new Map<string, number>();
    for (const { taskId, version } of places)
      upTo.set(taskId, Math.max(version, upTo.get(taskId) ?? version));
    const events = new Map<string, TaskEvent>();
    if (upTo.size === 0) return events;
    let before: ReplayedTask | undefined;
    for (const event of await findEventsUpTo(this.pool, upTo)) {
      const known = before?.id === event.taskId ? before : undefined;
      // What is left of a history without its beginning leads nowhere.
      if (event.version !== (known?.version ?? 0) + 1) continue;
      const task = replay([event], known);
      if (task !== undefined) events.set(keyOf(event), toTaskEvent(task, event.type, event.detail, known));
      before = task;
    }
    return events;
  }
}

function told(
  places: readonly Place[],
  events: readonly TaskEvent[],
): Pick<EventsAnswer, 'versions' | 'events'> {
  return { versions: places.map(({ taskId, version }) => ({ taskId, version })), events: [...events] };
}

/** How many events fit an answer; at least one, for the pages to go on. */
function countFitting(places: readonly Place[], events: ReadonlyMap<string, TaskEvent>): number {
  let bytes = 0;
  const excess = places.findIndex((place) => {
    bytes += Buffer.byteLength(JSON.stringify(events.get(keyOf(place)) ?? ''));
    return bytes > ANSWER_BYTES;
  });
  return excess < 0 ? places.length : Math.max(1, excess);
}

function nextOf(places: readonly Place[], limit: number): EventCursor | null {
  return places.length < limit ? null : cursorAt(places.at(-1));
}

function cursorAt(place: Place | undefined): EventCursor | null {
  return place === undefined ? null : { ...place };
}

function keyOf({ taskId, version }: Place): string {
  return `${taskId}:${version}`;
}
