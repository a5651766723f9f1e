/** What a Host is to know at once: what becomes of its agent, and what lives there that belongs elsewhere or to nobody. */
import type { Host } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { settledOn } from '../placed/applied.ts';
import { hostOf } from '../watch/derived.ts';
import { ANY, PLACED, type WatchRule } from '../watch/rules.ts';

const NOTHING: readonly string[] = [];

export const watches: readonly WatchRule[] = [
  {
    source: 'object',
    of: ANY,
    when: 'one goes: the hosts on which something of it still lives',
    // A host that came back while the object went may still have something of it.
    *wake({ before, after }, { fleet }) {
      if (!before || after) return;
      for (const { host } of fleet.ownedBy(before.object.metadata.uid)) yield keyOf(host);
    },
  },
  {
    source: 'object',
    of: PLACED,
    when: 'one runs there no more: the host, if it is being deleted or is off',
    wake({ before, after }, context) {
      const left = hostOf(before) !== hostOf(after) ? hostOf(before) : undefined;
      return left === undefined ? NOTHING : leaving(context, [left]);
    },
  },
  {
    source: 'claim',
    when: 'an object holds nothing there any more: the host, if it is being deleted or is off',
    wake: ({ left }, context) => leaving(context, left),
  },
  { source: 'host', on: 'moved', when: 'it attaches or detaches', wake: ({ host }) => [keyOf(host)] },
  {
    source: 'host',
    on: 'told',
    when: 'something else is wrong with it, or it has another address',
    wake: ({ host }) => [keyOf(host)],
  },
  { source: 'host', on: 'lost', when: 'it is lost', wake: ({ host }) => [keyOf(host)] },
  {
    source: 'live',
    of: undefined,
    when: 'something changed there that belongs to no object',
    wake: ({ change }) => [keyOf(change.host)],
  },
  {
    source: 'live',
    of: PLACED,
    when: 'something of one changed there that lives on another host',
    wake({ change, owner }) {
      const settled = settledOn(owner!.object);
      return settled !== undefined && settled !== change.host ? [keyOf(change.host)] : NOTHING;
    },
  },
];

function* leaving({ read }: Context, hosts: Iterable<string>): Generator<string> {
  for (const host of hosts) {
    const object = read.get<Host>(keyOf(host))?.object;
    if (object?.metadata.deletionTimestamp || object?.status?.fenced) yield keyOf(host);
  }
}

function keyOf(host: string): string {
  return keys.object('hosts', undefined, host);
}
