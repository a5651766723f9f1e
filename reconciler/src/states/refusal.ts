/** Why a state is not to be had: Terraform shows it as a lock, with the reason in its words. */
import { PlumbError } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { StateLock } from './head.ts';
import type { Place } from './parts.ts';

/** As Terraform writes and reads it: statemgr.LockInfo. */
export interface LockInfo {
  ID: string;
  Operation: string;
  Info: string;
  Who: string;
  Version: string;
  Created: string;
  Path: string;
}

/** The state is locked, or waits for a person. */
export class StateLocked extends PlumbError {
  readonly lock: LockInfo;

  constructor(message: string, lock: LockInfo) {
    super({ reason: 'Locked', message, retry: 'terminal' });
    this.lock = lock;
  }
}

export function lockedBy(place: Place, lock: StateLock): StateLocked {
  const since = time(lock.at);
  const { user, address, who, operation } = lock;
  return new StateLocked(
    `the state ${pathOf(place)} is locked by ${who || user} (user ${user} from ${address}) since ${since}${operation === '' ? '' : ` for ${operation}`}: wait until that is done. If it never will be, terraform force-unlock ${lock.id} or plumb state unlock ${place.name} takes the lock away`,
    infoOf(place, lock),
  );
}

function infoOf(place: Place, lock: StateLock): LockInfo {
  const { id, operation, info, who, version, path, user, address, at } = lock;
  const said = `user ${user} of Plumb, from ${address}`;
  return {
    ...{ ID: id, Operation: operation, Who: who, Version: version, Created: time(at) },
    Info: info === '' ? said : `${info} (${said})`,
    Path: path || pathOf(place),
  };
}

/** `reason`: one UpperCamelCase word. `why`: a sentence, which says what to do. */
export function blocked(place: Place, reason: string, why: string, now: number): StateLocked {
  const message = `the state ${pathOf(place)} ${why}`;
  return new StateLocked(message, {
    ...{ ID: reason, Operation: '', Who: 'plumb', Version: '', Created: timestamp(now), Path: pathOf(place) },
    Info: message,
  });
}

/** A time of a record, whatever number stands there. */
export function time(at: number): string {
  return timestamp(Math.min(at, LAST_MS));
}

/** The last that a date can be. */
const LAST_MS = 8.64e15;

export function pathOf({ namespace, name }: Place): string {
  return `${namespace}/${name}`;
}
