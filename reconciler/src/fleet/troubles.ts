/** What a host says is wrong with it: a claim of the host, shown to people as such, of bounded size and plain characters. */
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { NO_TROUBLES } from './live-host.ts';

export type TroubleLimits = Pick<ServerLimits, 'hostTroubles' | 'hostMessageCharacters'>;

/** As Kubernetes has it for the reasons of conditions. */
const REASON = /^[A-Z][A-Za-z0-9]{0,63}$/;

/** The troubles that may be kept and shown; what is not in the manner of a condition is left out. */
export function troublesFrom(
  reported: readonly HostTrouble[],
  { hostTroubles, hostMessageCharacters }: TroubleLimits,
): readonly HostTrouble[] {
  const kept = reported
    .slice(0, hostTroubles)
    .filter(({ reason }) => REASON.test(reason))
    .map(({ reason, message, blocking }) => ({ reason, message: printable(message, hostMessageCharacters), blocking }));
  return kept.length === 0 ? NO_TROUBLES : kept;
}

/** Whether no guest can be made or started on the host for now. */
export function isBlocked({ troubles }: { troubles: readonly HostTrouble[] }): boolean {
  return troubles.some(({ blocking }) => blocking);
}
