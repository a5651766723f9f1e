import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Case } from '../case.ts';
import { readTime } from '../floor/read-time.ts';
import { HttpsClient } from '../http/client.ts';
import { fillDataDir } from '../processes/estate.ts';
import { INSTANCES, startServer } from '../processes/plumb.ts';
import { memoryMiB } from '../processes/usage.ts';

/** How often it is asked whether it is ready: often enough for seconds, too rarely to count. */
const ASK_MS = 20;

export const coldStart: Case = {
  name: 'cold-start',
  title: 'From nothing to serving',
  about: [
    'The server’s process is started on a store with N settled instances, 0.3 N hosts and what these hold. It serves when it has',
    'answered a GET of an instance and acknowledged a change of it: both need the store only, validation and durability are as',
    'always. Meanwhile it loads what the store holds; it is ready, and its controllers are at work, when `/readyz` says so. The',
    'floor is a process of the same Node that opens the same store, lists all objects and parses each: the least that loading can',
    'be. The file may be in the page cache, for both.',
  ].join('\n'),
  axis: 'instances in the store',
  sizes: [1_000, 10_000, 100_000],
  figures: [
    { name: 'serving', title: 'serving', unit: 'ms' },
    { name: 'ready', title: 'ready', unit: 'ms' },
    { name: 'rss', title: 'resident memory then', unit: 'MiB' },
  ],
  goals: [{ figure: 'serving', atMost: 3_000, sizes: [100_000] }],
  picture: { also: ['ready'] },

  async open(size, { folder, tree }) {
    const dataDir = join(folder, 'server');
    await fillDataDir(dataDir, { hosts: size * 0.3, instances: size }, tree);
    // The authority and the tokens are made once.
    await (await startServer({ dataDir, tree })).close();
    return {
      async run() {
        const started = performance.now();
        const server = await startServer({ dataDir, loading: true, tree });
        const client = new HttpsClient(server.access, 1);
        try {
          const instance = JSON.parse(await client.expect(200, 'GET', `${INSTANCES}/web-0`));
          instance.metadata.labels = { ...instance.metadata.labels, started: `${Date.now()}` };
          await client.expect(200, 'PUT', `${INSTANCES}/web-0`, JSON.stringify(instance));
          const serving = performance.now() - started;
          while ((await client.ask('GET', '/readyz')).status !== 200) await wait(ASK_MS);
          const ready = performance.now() - started;
          return { figures: { serving, ready, rss: memoryMiB(server.child.pid).now } };
        } finally {
          client.close();
          await server.close();
        }
      },
      async floor() {
        const took = await readTime(dataDir);
        return { serving: took, ready: took };
      },
      close: async () => {},
    };
  },
};
