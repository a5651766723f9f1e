/** An API whose limits the test makes small, and whose metrics it reads. */
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect } from 'vitest';
import { Metrics } from '../../runtime/metrics.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { ApiOptions } from '../start.ts';
import { type ApiRig, startApiRig } from './rig.ts';

/** The product's limits, with these in place of its own. */
export const limits = (changed: Partial<ServerLimits>): ServerLimits => ({ ...defaultServerLimits, ...changed });

let stop: (() => Promise<void>) | undefined;

/** Ends the one that was started last. */
export async function stopLast(): Promise<void> {
  await stop?.();
}

export interface Loaded extends ApiRig {
  store: MemoryStore;
  /** The value of a line of the metrics. */
  metric(line: string): Promise<number>;
}

export async function start(options: Pick<Partial<ApiOptions>, 'limits' | 'tokens'> = {}): Promise<Loaded> {
  const metrics = new Metrics();
  const store = new MemoryStore();
  const rig = await startApiRig({ ...options, store, metrics });
  stop = rig.stop;
  const metric = async (line: string) => {
    const text = await metrics.text();
    const found = text.split('\n').find((each) => each.startsWith(`${line} `));
    if (found === undefined) throw new Error(`no ${line} in ${text}`);
    return Number(found.slice(line.length + 1));
  };
  return { ...rig, store, metric };
}

/** Other tests may keep the machine busy. */
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 15_000 });
