/** Log lines as Terraform takes them from a plugin: hclog's JSON, one object a line. */

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Says one thing. What is passed must hold no secret: no bodies, no headers, no values of a configuration. */
export type Log = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const silent: Log = () => {};

/** A log that writes lines to `write`. `now` in milliseconds since the epoch. */
export function jsonLog(write: (line: string) => void, now: () => number): Log {
  return (level, message, fields) =>
    write(
      `${JSON.stringify({
        '@level': level,
        '@message': message,
        '@module': 'plumb',
        // Terraform reads the time with exactly six digits after the second.
        '@timestamp': new Date(now()).toISOString().replace('Z', '000Z'),
        ...fields,
      })}\n`,
    );
}

/** Whether the person who runs Terraform asked for the logs of providers. */
export function wantsLogs(env: Readonly<Record<string, string | undefined>>): boolean {
  return wantsLevel(env.TF_LOG_PROVIDER || env.TF_LOG || 'off');
}

/** Whether a level of Terraform's means anything to us. What it does not want of that, it leaves out itself. */
export function wantsLevel(level: string): boolean {
  return ['trace', 'debug', 'json'].includes(level.toLowerCase());
}
