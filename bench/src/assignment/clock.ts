type Event = { readonly at: number; readonly number: number; readonly run: () => void };

/** Virtual time: what is to happen happens in order, whatever it takes. */
export type Clock = {
  now(): number;
  /** Runs it then; what is due at once runs in the order it was asked for. */
  at(time: number, run: () => void): void;
  /** Lets everything happen that is due before `until`. */
  run(until?: number): void;
};

/** A clock at time 0. */
export function createClock(): Clock {
  const heap: Event[] = [];
  let now = 0;
  let number = 0;

  return {
    now: () => now,
    at(time, run) {
      number += 1;
      push({ at: Math.max(now, time), number, run });
    },
    run(until = Number.POSITIVE_INFINITY) {
      for (let next = heap[0]; next !== undefined && next.at <= until; next = heap[0]) {
        pop();
        now = next.at;
        next.run();
      }
    },
  };

  function push(event: Event): void {
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = heap[(place - 1) >> 1] as Event;
      if (!isEarlier(event, parent)) break;
      heap[place] = parent;
      place = (place - 1) >> 1;
    }
    heap[place] = event;
  }

  function pop(): void {
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let place = 0;
    for (let child = 1; child < heap.length; child = 2 * place + 1) {
      const right = heap[child + 1];
      if (right !== undefined && isEarlier(right, heap[child] as Event)) child += 1;
      if (!isEarlier(heap[child] as Event, last)) break;
      heap[place] = heap[child] as Event;
      place = child;
    }
    heap[place] = last;
  }
}

function isEarlier(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
