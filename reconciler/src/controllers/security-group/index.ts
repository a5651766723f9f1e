import { type PlumbObject, securityGroup } from '@plumb/schemas';
import { equal } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import type { KindModule } from '../kind-module.ts';
import { isDeclaration } from '../watch/derived.ts';
import { ANY, PLACED } from '../watch/rules.ts';
import { onOwnResource } from '../watch/shared.ts';
import { portFilters } from './contributor.ts';
import { securityGroupController } from './controller.ts';
import { securityGroups } from './groups.ts';
import { groupMembers } from './members.ts';
import { addressGroupProvider, rulesetProvider } from './resources.ts';

export const securityGroupModule: KindModule = {
  kind: securityGroup,
  watches: [
    {
      source: 'object',
      of: PLACED,
      when: 'one that it selects, or did, comes, goes, or has other addresses; or one on whose host its rules are has another filter',
      asUsed: true,
      *wake({ before, after }, context) {
        if (before && after && !isOther(before, after)) return;
        for (const each of [before, after]) if (each) yield* groupsOf(context, each.object);
      },
    },
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached or detached that have something of it',
      wake: ({ sharing }) => sharing.keysOf(securityGroup.plural),
    },
    onOwnResource(securityGroup),
    {
      source: 'live',
      of: securityGroup.kind,
      when: 'rules of one changed or went on a host: those of which that host has something, which they may have named',
      asUsed: true,
      wake: ({ change }, context) => (change.kind === 'ruleset' ? groupsOn(context, change.host) : NOTHING),
    },
  ],
  alsoReads: [{ kind: ANY, because: 'what it selects may be of any kind that is placed' }],
  provides: [rulesetProvider, addressGroupProvider],
  contributes: portFilters,
  keeps: [securityGroups, groupMembers],
  writes: ['SecurityGroup.status', 'rules and addresses of groups on hosts'],
  controller: securityGroupController,
};

const NOTHING: readonly string[] = [];

interface Placed {
  host?: string;
  interfaces?: unknown;
  applied?: string;
}

function isOther(before: Cached, after: Cached): boolean {
  const [a, b] = [(before.object.status ?? {}) as Placed, (after.object.status ?? {}) as Placed];
  if (a.host !== b.host || a.applied !== b.applied || !equal(a.interfaces, b.interfaces)) return true;
  return isDeclaration(before, after);
}

/** Keys of those that select it, and of those of which its host has something. */
function* groupsOf(context: Context, object: PlumbObject): Generator<string> {
  for (const { key } of context.own(securityGroups).selecting(object)) yield key;
  const { host } = (object.status ?? {}) as Placed;
  if (host !== undefined) yield* groupsOn(context, host);
}

/** Keys of those of which the host has something. */
function* groupsOn(context: Context, host: string): Generator<string> {
  for (const uid of context.fleet.host(host)?.sharers() ?? []) {
    const owner = context.read.byUid(uid);
    if (owner?.kind.kind === securityGroup.kind) yield owner.key;
  }
}
