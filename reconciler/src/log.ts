import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';

/** One line a happening: for people who read the log of a server. Never holds a secret. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

/** Lines on standard error, dated. */
export function stderrLog(now: () => number, limits: Pick<ServerLimits, 'logLineCharacters'>): Log {
  return (level, message) => process.stderr.write(logLine(new Date(now()), level, message, limits.logLineCharacters));
}

/** One line, whatever the message holds: part of it may come from an agent, a guest or a client. */
export function logLine(at: Date, level: string, message: string, most: number): string {
  return `${at.toISOString()} ${level.padEnd(5)} ${printable(message, most)}\n`;
}
