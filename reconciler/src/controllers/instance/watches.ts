/** What wakes an instance beside what wakes every placed object. */
import { type ChangeSet, instance } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { waiting } from '../placed/waiting.ts';
import { placedRules } from '../placed/watches.ts';
import type { WatchRule } from '../watch/rules.ts';
import { instancePlaced } from './placed.ts';

const NOTHING: readonly string[] = [];

export const watches: readonly WatchRule[] = [
  ...placedRules(instance, instancePlaced.holding),
  {
    source: 'object',
    of: 'ChangeSet',
    when: 'one is over, or not yet: the instances of its offerings, which may now get their size',
    wake: ({ material, before, after }, context) =>
      material ? usersOfOfferings(context, (after ?? before)!.object as ChangeSet) : NOTHING,
  },
  {
    source: 'object',
    of: 'L2Network',
    when: 'one comes, goes, or is declared or found otherwise: all that wait for room, since it says which hosts carry it',
    wake: ({ material }, { own }) => (material ? own(waiting).all(instance.plural) : NOTHING),
  },
];

function* usersOfOfferings({ read }: Context, { spec }: ChangeSet): Generator<string> {
  for (const { kind, metadata } of spec.objects)
    if (kind === 'InstanceOffering')
      for (const user of read.referrers(keys.object('instanceofferings', undefined, metadata.name as string)))
        yield user.key;
}
