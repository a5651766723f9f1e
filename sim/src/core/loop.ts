/**
 * The event loop of a simulation: time that moves only from one event to the next, and turns that run in the order in
 * which they were asked for. Between two events every promise that can go on has gone on.
 */
const realSetImmediate = globalThis.setImmediate;

/** Events for which one turn of the real event loop is asked at once: a turn by itself costs a call of the kernel. */
const EVENTS_PER_TURN = 64;

interface Timer {
  due: number;
  order: number;
  run: (() => void) | undefined;
}

export class SimLoop {
  /** Milliseconds since the epoch. Never goes back; a process may believe otherwise. */
  now: number;
  /** Events that were run. */
  events = 0;
  #order = 0;
  readonly #timers: Timer[] = [];
  #turns: (() => void)[] = [];
  #firstTurn = 0;
  #installed = false;

  constructor(startMs: number) {
    this.now = startMs;
  }

  /**
   * Makes `setImmediate` of this process part of the simulation until {@link uninstall}. Throws when another simulation
   * has it.
   */
  install(): void {
    if (globalThis.setImmediate !== realSetImmediate) throw new Error('one simulation at a time');
    this.#installed = true;
    globalThis.setImmediate = ((run: (...given: unknown[]) => void, ...given: unknown[]) => {
      this.#turns.push(given.length === 0 ? run : () => run(...given));
    }) as unknown as typeof setImmediate;
  }

  uninstall(): void {
    if (this.#installed) globalThis.setImmediate = realSetImmediate;
    this.#installed = false;
  }

  /** Calls `run` after `ms` milliseconds; those due at the same instant run in the order in which they were set. */
  after(ms: number, run: () => void): () => void {
    const timer: Timer = { due: this.now + Math.max(0, ms), order: this.#order++, run };
    push(this.#timers, timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Lets `ms` milliseconds pass, or less when `stop` says so; resolves with whether it did. Rejects with what an event throws. */
  run(ms: number, stop: () => boolean = () => false): Promise<boolean> {
    const until = this.now + ms;
    return new Promise((resolve, reject) => {
      let over = false;
      const one = () => {
        if (over) return;
        try {
          if (stop()) {
            over = true;
            resolve(true);
          } else if (!this.#next(until)) {
            over = true;
            this.now = until;
            resolve(false);
          }
        } catch (error) {
          over = true;
          reject(error);
        }
      };
      const turn = () => {
        if (over) return;
        for (let i = 0; i < EVENTS_PER_TURN; i++) realSetImmediate(one);
        realSetImmediate(turn);
      };
      turn();
    });
  }

  /** Runs one event that is due by `until`; false when there is none. */
  #next(until: number): boolean {
    const turn = this.#turns[this.#firstTurn];
    if (turn) {
      this.#firstTurn++;
      if (this.#firstTurn === this.#turns.length) {
        this.#turns = [];
        this.#firstTurn = 0;
      }
      this.events++;
      turn();
      return true;
    }
    for (;;) {
      const timer = this.#timers[0];
      if (!timer || timer.due > until) return false;
      pop(this.#timers);
      if (!timer.run) continue;
      this.now = timer.due;
      this.events++;
      const { run } = timer;
      timer.run = undefined;
      run();
      return true;
    }
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/** A binary heap: the first is due first. */
function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(timer, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
