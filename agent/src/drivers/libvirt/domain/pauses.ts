/** Why libvirt holds a guest that is paused (virDomainPausedReason in libvirt-domain.h), and what that means. */

/** Whether a guest that is held for the reason is left alone, let go, or goes on by itself when there is room again. */
export type Pause =
  /** libvirt is at something, and goes on by itself: a save, a snapshot, a start. */
  | { kind: 'passing' }
  | { kind: 'ioError' }
  /** `why`: as in "it is paused: …". */
  | { kind: 'drift'; why: string };

const passing: Pause = { kind: 'passing' };
const drift = (why: string): Pause => ({ kind: 'drift', why });

const pauses: Record<number, Pause> = {
  0: drift('libvirt does not know why'),
  1: drift('somebody paused it on the host'),
  2: passing, // It is being migrated.
  3: passing, // It is being saved.
  4: passing, // Its memory is being dumped.
  5: { kind: 'ioError' },
  6: drift('somebody put it back to a snapshot that was paused'),
  7: drift('its watchdog fired'),
  8: passing, // It is shutting down.
  9: passing, // A snapshot is being made.
  10: drift('its kernel gave up'),
  11: passing, // It is being started.
  12: passing, // It is being migrated, and its memory follows it.
  13: drift('a migration failed halfway'),
  14: drift('something that libvirt did with it failed, and libvirt could not let it go on'),
};

/** A reason of a newer libvirt is drift: somebody holds the guest. */
export function pauseFor(reason: number): Pause {
  return pauses[reason] ?? drift('for a reason that this agent does not know');
}
