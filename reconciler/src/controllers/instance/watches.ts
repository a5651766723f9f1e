/** What an instance waits for, and where others may know more of it than it does. */
import type { ChangeSet, Instance } from '@plumb/schemas';
import type { SetAside } from '../../runtime/poisoned.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import type { ObjectChange, WatchRule } from '../watch/rules.ts';
import { candidates } from './candidates.ts';
import { waiting } from './waiting.ts';

const NOTHING: readonly string[] = [];

export const watches: readonly WatchRule[] = [
  {
    source: 'object',
    of: 'Instance',
    when: 'one goes, or gives back its host or an address: all that wait for room',
    wake(change, context) {
      if (change.after && change.wasAside) noteMended(context, change.wasAside);
      return !change.after || frees(change) ? context.own(waiting).all() : NOTHING;
    },
  },
  {
    source: 'object',
    of: 'ChangeSet',
    when: 'one is over, or not yet: the instances of its offerings, which may now get their size',
    wake: ({ material, before, after }, context) =>
      material ? usersOfOfferings(context, (after ?? before)!.object as ChangeSet) : NOTHING,
  },
  {
    source: 'object',
    of: 'Host',
    when: 'one comes, goes, or is declared or found otherwise: all that wait for room',
    *wake({ material, before, after }, { own }) {
      if (!material) return;
      yield* own(waiting).all();
      yield* own(waiting).on((after ?? before)!.object.metadata.name);
    },
  },
  {
    source: 'object',
    of: 'L2Network',
    when: 'one comes, goes, or is declared or found otherwise: all that wait for room, since it says which hosts carry it',
    wake: ({ material }, { own }) => (material ? own(waiting).all() : NOTHING),
  },
  {
    source: 'claim',
    when: 'an instance holds something else: those that wait for room on its host',
    *wake({ freed, byAnother }, { own }) {
      if (freed.size > 0 || byAnother) yield* own(waiting).all();
      for (const host of freed) yield* own(waiting).on(host);
    },
  },
  {
    source: 'host',
    on: 'moved',
    when: 'a host attaches: those that hold something there',
    wake: ({ host, connected }, context) => (connected ? holdersOn(context, host) : NOTHING),
  },
  {
    source: 'host',
    on: 'gathered',
    when: 'hosts attached: all that wait for room',
    *wake(_, { own }) {
      yield* own(waiting).all();
      own(candidates).prepareInTurns();
    },
  },
  {
    source: 'host',
    on: 'lost',
    when: 'a host is lost: those that hold something there',
    wake: ({ host }, context) => holdersOn(context, host),
  },
  {
    source: 'live',
    of: 'Instance',
    when: 'something of it changed or went on a host',
    wake: ({ owner }) => [owner!.key],
  },
];

/** What it holds and where it is was lost with its status: that is told by what lives and by what is handed out. */
function noteMended({ strays }: Context, { uid, hasStatus }: SetAside): void {
  if (uid !== undefined && !hasStatus) strays.add(uid);
}

function frees({ before, after }: ObjectChange): boolean {
  const [was, is] = [before?.object as Instance | undefined, after!.object as Instance];
  if (!was?.status?.host) return false;
  return (
    was.status.host !== is.status?.host ||
    JSON.stringify(was.status.interfaces) !== JSON.stringify(is.status?.interfaces)
  );
}

function* usersOfOfferings({ read }: Context, { spec }: ChangeSet): Generator<string> {
  for (const { kind, metadata } of spec.objects)
    if (kind === 'InstanceOffering')
      for (const user of read.referrers(keys.object('instanceofferings', undefined, metadata.name as string)))
        yield user.key;
}

function* holdersOn({ holdings, read }: Context, host: string): Generator<string> {
  for (const uid of holdings.on(host)) {
    const held = read.byUid(uid);
    if (held) yield held.key;
  }
}
