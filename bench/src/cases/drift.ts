import { join } from 'node:path';
import type { Case } from '../case.ts';
import { startBareScan } from '../floor/bare-scan.ts';
import type { HttpsClient } from '../http/client.ts';
import { type DriftScan, scanDrift } from '../http/drift-scan.ts';
import { runEstate } from '../processes/estate.ts';

const STREAMS = 64;

const common: Case = {
  name: 'drift',
  title: 'Comparing everything with what lives',
  about: [
    'What `plumb drift` does, on N settled instances on 0.3 N hosts, from the request to the answer: everything that each instance',
    'should have is worked out and compared with everything that lives for it. Then the same by digests, when nothing has changed.',
    'The floor lists all instances from a store, parses each, and compares all of it with a copy that is parsed already.',
  ].join('\n'),
  axis: 'instances',
  sizes: [1_000, 10_000, 100_000],
  figures: [
    { name: 'content', title: 'all content compared', unit: 'ms' },
    { name: 'digests', title: 'nothing changed, by digests', unit: 'ms' },
    { name: 'contentWork', title: 'work in it', unit: 'ms' },
    { name: 'digestsWork', title: 'work by digests', unit: 'ms' },
  ],
  goals: [
    { figure: 'content', atMost: 1.5, times: 'floor', sizes: [100_000] },
    { figure: 'digests', atMost: 50, sizes: [100_000] },
  ],
  picture: { also: ['digests'] },
  open: (size, around) => open(size, around, false),
};

export const drift = common;

/** Beside {@link drift}, what a kind costs that contributes to each plan. */
export const driftGrouped: Case = {
  ...common,
  name: 'drift-grouped',
  title: 'Comparing everything with what lives, all of it in a security group',
  about: `${common.about}\nOne security group selects all instances.`,
  goals: [{ figure: 'content', atMost: 1.5, times: 'floor', sizes: [100_000] }],
  open: (size, around) => open(size, around, true),
};

async function open(size: number, { folder, profiled, tree }: Parameters<Case['open']>[1], grouped: boolean) {
  const estate = { hosts: size * 0.3, instances: size, grouped };
  await using started = new AsyncDisposableStack();
  const floor = await startBareScan(join(folder, 'floor'), estate);
  started.defer(() => floor.close());
  const { server, client, close } = await runEstate({ folder, ...estate, streams: STREAMS, profiled, tree });
  started.defer(close);
  const running = started.move();
  return {
    async run() {
      await server.profiler?.start();
      const content = await timed(() => scan(client, 'content', size, size));
      const profile = await server.profiler?.stop();
      const digests = await timed(() => scan(client, 'digests', size, 0));
      return {
        figures: {
          ...{ content: content.ms, contentWork: content.value.workMs },
          ...{ digests: digests.ms, digestsWork: digests.value.workMs },
        },
        profile,
      };
    },
    floor: async () => ({ content: await floor.measure() }),
    close: () => running.disposeAsync(),
  };
}

/** Rejects unless all instances are found to be as declared, and as many were looked at as should be. */
async function scan(
  client: HttpsClient,
  way: 'content' | 'digests',
  same: number,
  compared: number,
): Promise<DriftScan> {
  const found = await scanDrift(client, way);
  if (found.counts.same === same && found.compared === compared) return found;
  throw new Error(`${same} should be the same, ${compared} of them compared, but: ${JSON.stringify(found)}`);
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const started = performance.now();
  const value = await work();
  return { ms: performance.now() - started, value };
}
