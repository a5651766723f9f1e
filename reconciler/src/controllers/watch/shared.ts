/** What wakes a kind of which hosts carry resources that many instances share: a bridge, a subnet, an image. */
import { type KindDefinition, resourceKey } from '@plumb/schemas';
import type { WatchRule } from './rules.ts';

/** Something of its own changed on a host. */
export function onOwnResource({ kind }: KindDefinition): WatchRule {
  return {
    source: 'live',
    of: kind,
    when: 'something of it changed or went on a host',
    asUsed: true,
    wake({ change, owner }, { fleet, drifts }) {
      const resource = fleet.host(change.host)?.resources.get(resourceKey(change));
      // An instance that uses it may have it repaired before its own controller looks.
      if (resource) drifts.note(change.host, resource);
      return [owner!.key];
    },
  };
}
