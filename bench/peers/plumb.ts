import { createAndDelete } from '../src/cases/burst.ts';
import type { Plumb } from '../src/processes/plumb.ts';
import { memoryMiB } from '../src/processes/usage.ts';
import type { PeerRun } from './result.ts';

/** Our own burst, the one that `npm run bench -- burst` measures, in the terms in which peers are measured. */
export async function burstOfInstances(plumb: Plumb, size: number, prefix: string): Promise<PeerRun> {
  const { figures } = await createAndDelete(plumb, size, prefix);
  const figure = (name: string) => {
    const value = figures[name];
    if (value === undefined) throw new Error(`the burst does not report ${name}`);
    return value;
  };
  return {
    size,
    ready: figure('ready'),
    half: figure('half'),
    answered: figure('answered'),
    cpuMsPerCreate: figure('serverCpuPerCreate') + figure('agentCpuPerCreate'),
    recordsPerCreate: figure('recordsPerCreate'),
    syncsPerCreate: figure('transactionsPerCreate'),
    memoryMiB: memoryMiB(plumb.server.child.pid).now + memoryMiB(plumb.agent.pid).now,
  };
}
