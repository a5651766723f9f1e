/** How long something may take, and the two ways in which it ends early. */
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';

export interface Deadline {
  /** Aborts with a terminal PlumbError `Timeout`, or with the reason of what ends it early. */
  readonly signal: AbortSignal;
  /** What was allowed, in milliseconds. */
  readonly ms: number;
  /** Frees the timer. To be called when the work is done, however it ended. */
  end(): void;
}

export function deadline(clock: Clock, ms: number, stop: AbortSignal): Deadline {
  const controller = new AbortController();
  const endTimer = clock.after(ms, () =>
    controller.abort(terminal('Timeout', `It took longer than the ${showDuration(ms)} that it was given`)),
  );
  const onStop = () => controller.abort(stop.reason);
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop);
  return {
    signal: controller.signal,
    ms,
    end() {
      endTimer();
      stop.removeEventListener('abort', onStop);
    },
  };
}

/** Waits; rejects with the signal's reason when it aborts first. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const endTimer = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      endTimer();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** `600000` → `10m`; for messages. */
export function showDuration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
