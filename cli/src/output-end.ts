/**
 * When the reader of a command's output goes away (`plumb get events | head -2`), or its disk is full.
 *
 * Node ignores SIGPIPE, so a write to a closed pipe comes back as an error, which ends the process with a stack trace when
 * nothing listens. A command that only reads ends at once and says nothing, with the exit code that a shell shows for
 * SIGPIPE, as kubectl does. A command that writes (`apply`, `delete`), and a program that serves, goes on without output:
 * half an apply is worse than a silent one.
 */

/** What a shell reports of a program that SIGPIPE ended: 128 and the signal's number. */
export const SIGPIPE_CODE = 141;

/** The part of a stream that is listened to. */
export interface Output {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface OutputEndOptions {
  out: Output;
  err: Output & { write(text: string): unknown };
  /** Whether the command goes on without output; asked when the output is lost. */
  goesOn: () => boolean;
  exit: (code: number) => void;
}

/** Listens to both streams for as long as the process lives. */
export function onOutputEnd({ out, err, goesOn, exit }: OutputEndOptions): void {
  // Only the first failure is told of: each later write fails again.
  let lost = false;
  out.on('error', (error) => {
    if (lost) return;
    lost = true;
    const gone = isGone(error);
    if (!gone) err.write(`plumb: standard output cannot be written: ${error.message}\n`);
    if (!goesOn()) exit(gone ? SIGPIPE_CODE : 1);
  });
  err.on('error', (error) => {
    if (isGone(error) && !lost && !goesOn()) exit(SIGPIPE_CODE);
  });
}

/** The reader closed its end, or the terminal is gone. */
function isGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'EIO' || code === 'ERR_STREAM_DESTROYED';
}
