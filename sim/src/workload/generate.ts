/** Random lists of actions from a seed: wishes, and what goes wrong meanwhile. */
import fc from 'fast-check';
import { Dice } from '../core/dice.ts';
import type { Fate } from '../world/fates.ts';
import type { Action } from './actions.ts';
import { fields, weighted } from './chance.ts';
import { foundation } from './foundation.ts';
import { hastyWishes } from './wishes.ts';

export interface Mood {
  /** How many actions. */
  length: number;
  hosts: number;
  /** Percent of actions that hurt. */
  violence: number;
  /** Whether the store may be put back. */
  restores: boolean;
}

/** The list that belongs to the seed. */
export function generate(seed: string, mood: Mood): Action[] {
  const [actions] = fc.sample(fc.noBias(actionsIn(mood)), { numRuns: 1, seed: new Dice(seed).bits() | 0 });
  return actions!;
}

function actionsIn(mood: Mood): fc.Arbitrary<Action[]> {
  const beginning = weighted<readonly Action[]>(
    [54, fc.constant(foundation)],
    [36, fc.shuffledSubarray([...foundation], { minLength: foundation.length })],
    [10, fc.constant([])],
  );
  const move = weighted<Action>([mood.violence, hurts(mood)], [100 - mood.violence, hastyWishes]);
  const pause = weighted<Action | undefined>(
    [55, fc.constant(undefined)],
    [36, fc.integer({ min: 1, max: 400 }).map((ms) => ({ do: 'wait', ms }))],
    [9, fc.integer({ min: 500, max: 20_000 }).map((ms) => ({ do: 'wait', ms }))],
  );
  const moves = fc.array(fc.tuple(move, pause), { minLength: mood.length, maxLength: mood.length });
  return fc
    .tuple(beginning, moves)
    .map(([first, then]) => [...first, ...then.flat().filter((action) => action !== undefined)]);
}

function hurts({ hosts, restores }: Mood): fc.Arbitrary<Action> {
  const host = fc.integer({ min: 1, max: hosts }).map((n) => `host-${n}`);
  const name = fc.integer({ min: 0, max: 5 }).map((n) => `vm-${n}`);
  const ms = (min: number, max: number) => fc.integer({ min, max });
  const one = (what: Action['do'], rest: Record<string, fc.Arbitrary<unknown>>) =>
    fields({ do: fc.constant(what), ...rest }) as unknown as fc.Arbitrary<Action>;
  return weighted<Action>(
    [50, fates],
    [
      14,
      one('crash', {
        who: weighted([65, fc.constant('control')], [35, host]),
        forMs: weighted([80, ms(10, 800)], [20, ms(1_000, 50_000)]),
      }),
    ],
    [4, one('reboot', { host })],
    [6, one('cut', { host })],
    [6, one('partition', { host, forMs: weighted([70, ms(100, 5_000)], [30, ms(20_000, 90_000)]) })],
    [4, one('slow', { host, times: fc.constantFrom(1, 3, 20, 100) })],
    [
      4,
      one('jump', {
        who: weighted([1, fc.constant('control')], [1, host]),
        ms: fc.constantFrom(-3_600_000, -45_000, -1_000, 1_000, 45_000, 3_600_000),
      }),
    ],
    [7, one('guest', { name, how: fc.constantFrom('shutdown', 'crashed', 'destroyed') })],
    [restores ? 3 : 5, one('drift', { name })],
    [2, one('scan', { way: fc.constantFrom('content', 'digests') })],
    ...(restores
      ? ([
          [
            2,
            one('restore', {
              share: weighted([30, fc.constant(0)], [70, fc.integer({ min: 0, max: 999 }).map((n) => n / 1000)]),
            }),
          ],
        ] as const)
      : []),
  );
}

const crash = fc.constantFrom<Fate>('crash control', 'crash control', 'crash agent', 'crash both');

const fates: fc.Arbitrary<Action> = fc.integer({ min: 0, max: 8 }).chain((skip) => {
  const at = (point: 'commit' | 'step' | 'frame') => (fate: Fate) => ({ do: 'fate', at: point, skip, fate }) as const;
  const once = weighted<Action & { do: 'fate' }>(
    [35, weighted<Fate>([85, fc.constant('crash control')], [15, fc.constant('fail')]).map(at('commit'))],
    [
      40,
      weighted<Fate>(
        [60, crash],
        [40, fc.constantFrom<Fate>('fail', 'fail', 'fail terminal', 'repeat', 'reboot host')],
      ).map(at('step')),
    ],
    [25, weighted<Fate>([45, crash], [55, fc.constantFrom<Fate>('cut', 'again late')]).map(at('frame'))],
  );
  // What recovers from a crash may crash again, and again.
  const times = weighted([1, fc.constant(1)], [2, fc.integer({ min: 2, max: 8 })]);
  return fc.tuple(once, times).map(([fate, times]) => (fate.fate.startsWith('crash') ? { ...fate, times } : fate));
});
