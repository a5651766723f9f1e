/** A fleet in which some hosts are told to remove resources only: they are on their way out, or a person said that they are off. */
import type { PlumbError } from '@plumb/schemas';
import type { Fleet } from './fleet.ts';

export interface Restriction {
  /** Why nothing is made there. */
  error: PlumbError;
  /** A person said that it is off: what is to be removed there counts as removed. */
  off: boolean;
}

/** `restrictionOf`: asked before each command. */
export function restricted(fleet: Fleet, restrictionOf: (host: string) => Restriction | undefined): Fleet {
  return {
    hosts: () => fleet.hosts(),
    host: (name) => fleet.host(name),
    ownedBy: (uid) => fleet.ownedBy(uid),
    isExactly: (uid, host, resources) => fleet.isExactly(uid, host, resources),
    likeness: (owner, resources) => fleet.likeness(owner, resources),
    isLike: (likeness, uid, host, words) => fleet.isLike(likeness, uid, host, words),
    owned: (uid) => fleet.owned(uid),
    get crowded() {
      return fleet.crowded;
    },
    isTelling: (host) => fleet.isTelling(host),
    refusalOf: (host) => fleet.refusalOf(host),
    silenceOf: (host) => fleet.silenceOf(host),
    isSlow: (host) => fleet.isSlow(host),
    forgive: (host) => fleet.forgive(host),
    onChange: (listener) => fleet.onChange(listener),
    async send(host, command, attention) {
      const restriction = restrictionOf(host);
      if (restriction === undefined) return fleet.send(host, command, attention);
      // guard: a host on its way out is told to remove resources only
      if (command.steps.some(({ verb }) => verb !== 'remove')) throw restriction.error;
      if (restriction.off && !fleet.host(host)?.connected) return command.steps.map(({ id }) => ({ step: id }));
      return fleet.send(host, command, attention);
    },
  };
}
