/** One line a happening: for people who read the log of a server. Never holds a secret. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

/** Lines on standard error, dated. */
export function stderrLog(now: () => number): Log {
  return (level, message) => {
    process.stderr.write(`${new Date(now()).toISOString()} ${level.padEnd(5)} ${message}\n`);
  };
}
