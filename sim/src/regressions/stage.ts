/** The beginning that the regressions share: a cloud in peace, with what instances need. */
import { monitor } from '../oracle/monitor.ts';
import { problems } from '../oracle/settled.ts';
import type { Action } from '../workload/actions.ts';
import { foundation } from '../workload/foundation.ts';
import { Player } from '../workload/play.ts';
import { settle } from '../workload/settle.ts';
import type { Fate, Point } from '../world/fates.ts';
import { World, type WorldOptions } from '../world/world.ts';

export interface Stage extends Disposable {
  world: World;
  do(...actions: Action[]): Promise<void>;
  /** From now on every point that the test names suffers the fate. */
  hurt(fate: (point: Point) => Fate | undefined): void;
  /** Mends everything; what is wrong after a minute. */
  wrong(): Promise<string[]>;
  /** uid of an instance. */
  uid(name: string): string;
}

export async function stage(seed: string, hosts = 1, more: Pick<WorldOptions, 'wire'> = {}): Promise<Stage> {
  const world = new World({ seed, hosts, zone: 'home', keepLines: 5_000, ...more });
  monitor(world);
  const player = new Player(world);
  const act = async (...actions: Action[]) => {
    for (const action of actions) await player.do(action);
    await player.answers();
  };
  await act(...foundation, { do: 'wait', ms: 3_000 });
  const peace = problems(world);
  if (peace.length > 0) throw new Error(`the stage is not set: ${peace.join('; ')}`);
  return {
    world,
    do: act,
    hurt(fate) {
      world.fates = { at: fate };
    },
    async wrong() {
      const { wrong } = await settle(world);
      return [...world.violations, ...wrong, ...player.model.broken()];
    },
    uid: (name) => JSON.parse(world.disk.entries.get(`/objects/instances/default/${name}`)!.value).metadata.uid,
    [Symbol.dispose]: () => world.close(),
  };
}

/** An instance on the network `lab`. */
export function vm(name: string, more: Record<string, unknown> = {}): Action {
  const interfaces = [{ name: 'eth0', l3Network: 'lab' }];
  return {
    do: 'create',
    kind: 'Instance',
    name,
    spec: { zone: 'home', offering: 'small', image: 'tiny', interfaces, ...more },
  };
}

/** With an address that it asks for. */
export function addressed(name: string, address: string, more: Record<string, unknown> = {}): Action {
  return vm(name, { interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: [address] }], ...more });
}

export const wait = (ms: number): Action => ({ do: 'wait', ms });
export const gone = (name: string): Action => ({ do: 'delete', kind: 'Instance', name });
