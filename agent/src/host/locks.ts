/** What one undertaking needs to itself (`exclusive`) and what it only needs to stay as it is (`shared`). */
export interface LockRequest {
  exclusive: readonly string[];
  shared?: readonly string[];
}

interface Queued {
  request: LockRequest;
  start: () => void;
}

/**
 * Locks by name for undertakings of one process. A request gets all of its names at once, in the order of asking among
 * those that conflict, so that nobody waits while holding and nobody starves.
 */
export class Locks {
  #held = new Set<LockRequest>();
  #queue: Queued[] = [];

  /** Runs `work` while holding the names; passes on its outcome. */
  async hold<T>(request: LockRequest, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#queue.push({ request, start });
      this.#startWhatFits();
    });
    try {
      return await work();
    } finally {
      this.#held.delete(request);
      this.#startWhatFits();
    }
  }

  #startWhatFits(): void {
    const blocked = [...this.#held];
    this.#queue = this.#queue.filter(({ request, start }) => {
      const waits = blocked.some((other) => conflict(request, other));
      // What waits still blocks those that came later and want the same.
      blocked.push(request);
      if (waits) return true;
      this.#held.add(request);
      start();
      return false;
    });
  }
}

function conflict(a: LockRequest, b: LockRequest): boolean {
  return takes(a, b) || takes(b, a);
}

function takes(a: LockRequest, b: LockRequest): boolean {
  return a.exclusive.some((name) => b.exclusive.includes(name) || (b.shared?.includes(name) ?? false));
}
