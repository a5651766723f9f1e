/** How much faster than real a quiet fleet is simulated: heartbeats, and a control plane that has nothing to do. */
import { foundation } from './workload/foundation.ts';
import { Player } from './workload/play.ts';
import { World } from './world/world.ts';

export interface Quiet {
  hosts: number;
  simulatedMs: number;
  realMs: number;
  /** Simulated time per real time. */
  ratio: number;
  /** Simulated time per time of a processor: what it would be on a machine that does nothing else. */
  processorRatio: number;
  events: number;
}

export async function measureQuiet(hosts: number, simulatedMs: number): Promise<Quiet> {
  const world = new World({ seed: 'quiet', hosts, zone: 'home' });
  try {
    const player = new Player(world);
    for (const action of foundation) await player.do(action);
    await world.run(30_000);
    const connected = [...(world.control?.control?.fleet.hosts() ?? [])].filter((host) => host.connected).length;
    if (connected !== hosts) throw new Error(`${connected} of ${hosts} hosts are connected`);
    const { events } = world.loop;
    const started = performance.now();
    const used = process.threadCpuUsage();
    await world.run(simulatedMs);
    const realMs = performance.now() - started;
    const { user, system } = process.threadCpuUsage(used);
    const processorRatio = (simulatedMs * 1000) / (user + system);
    return {
      hosts,
      simulatedMs,
      realMs,
      ratio: simulatedMs / realMs,
      processorRatio,
      events: world.loop.events - events,
    };
  } finally {
    world.close();
  }
}
