/** What every placed object waits for, and where others may know more of it than it does. */
import type { KindDefinition } from '@plumb/schemas';
import type { HoldingType } from '../../plan/holding.ts';
import { equal } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { SetAside } from '../../runtime/poisoned.ts';
import { pluralOf } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import type { WatchRule } from '../watch/rules.ts';
import { settledOn } from './applied.ts';
import { candidates } from './candidates.ts';
import { waiting } from './waiting.ts';

const NOTHING: readonly string[] = [];

/** The rules of a kind whose objects hold this; cf. {@link placedStates}, which it keeps. */
export function placedRules(kind: KindDefinition, holding: HoldingType): WatchRule[] {
  const { plural, singular } = kind;
  const all = ({ own }: Pick<Context, 'own'>) => own(waiting).all(plural);
  return [
    {
      source: 'object',
      of: kind.kind,
      when: 'one goes, or gives back its host or something that others may claim: all that wait for room',
      wake(change, context) {
        if (change.after && change.wasAside) noteMended(context, change.wasAside);
        return !change.after || frees(holding, change.before, change.after) ? all(context) : NOTHING;
      },
    },
    {
      source: 'object',
      of: 'Host',
      when: 'one comes, goes, or is declared or found otherwise: all that wait for room',
      *wake({ material, before, after }, context) {
        if (!material) return;
        yield* all(context);
        yield* context.own(waiting).on(plural, (after ?? before)!.object.metadata.name);
      },
    },
    {
      source: 'claim',
      when: `an object holds something else: each ${singular} that waits for room on its host`,
      *wake({ freed, byAnother }, context) {
        if (freed.size > 0 || byAnother) yield* all(context);
        for (const host of freed) yield* context.own(waiting).on(plural, host);
      },
    },
    {
      source: 'host',
      on: 'moved',
      when: 'a host attaches: those that hold something there',
      wake: ({ host, connected }, context) => (connected ? holdersOn(context, plural, host) : NOTHING),
    },
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached: all that wait for room',
      *wake(_, context) {
        yield* all(context);
        context.own(candidates).prepareInTurns();
      },
    },
    {
      source: 'host',
      on: 'lost',
      when: 'a host is lost: those that hold something there',
      wake: ({ host }, context) => holdersOn(context, plural, host),
    },
    {
      source: 'live',
      of: kind.kind,
      when: 'something of it changed or went on a host',
      wake: ({ owner }) => [owner!.key],
    },
  ];
}

/** What a placed kind keeps beside its own. */
export const placedStates = [candidates, waiting];

/** What it holds and where it is was lost with its status: that is told by what lives and by what is handed out. */
function noteMended({ strays }: Context, { uid, hasStatus }: SetAside): void {
  if (uid !== undefined && !hasStatus) strays.add(uid);
}

function frees({ settled, claims }: HoldingType, before: Cached | undefined, after: Cached): boolean {
  const host = before && settledOn(before.object);
  if (host === undefined) return false;
  if (host !== settledOn(after.object)) return true;
  const [was, is] = [settled(before!.object.status), settled(after.object.status)];
  return !equal(was && claims(was).exclusive, is && claims(is).exclusive);
}

function* holdersOn({ holdings, read }: Context, plural: string, host: string): Generator<string> {
  for (const uid of holdings.on(host)) {
    const key = read.keyOf(uid);
    if (key !== undefined && pluralOf(key) === plural) yield key;
  }
}
