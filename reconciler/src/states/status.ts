/** What is shown of a state: everything of its head but what is in it. */
import type { PlumbObject } from '@plumb/schemas';
import type { StateHead, StateVersion } from './head.ts';
import { time } from './refusal.ts';

type Status = NonNullable<PlumbObject['status']>;

/** The status of the object by what its head says; conditions stay. */
export function shownStatus({ conditions, observedGeneration }: Status, { versions, lock }: StateHead): Status {
  const [newest] = versions;
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(conditions === undefined ? {} : { conditions }),
    ...(newest ? shownVersion(newest) : {}),
    ...(lock
      ? {
          lock: {
            ...{ id: lock.id, operation: lock.operation, who: lock.who, user: lock.user, address: lock.address },
            since: time(lock.at),
          },
        }
      : {}),
    ...(versions.length > 0 ? { versions: versions.map(shownVersion) } : {}),
  };
}

function shownVersion({ serial, lineage, bytes, resources, terraformVersion, at, by }: StateVersion) {
  return { serial, lineage, bytes, resources, terraformVersion, writtenAt: time(at), writtenBy: by };
}
