import { join } from 'node:path';
import type { Case } from '../case.ts';
import { readTime } from '../floor/read-time.ts';
import { HttpsClient } from '../http/client.ts';
import { fillDataDir } from '../processes/estate.ts';
import { INSTANCES, startServer } from '../processes/plumb.ts';
import { memoryMiB } from '../processes/usage.ts';

export const coldStart: Case = {
  name: 'cold-start',
  title: 'From nothing to serving',
  about: [
    'The server’s process is started on a store with N settled instances, 0.3 N hosts and what these hold; the clock stops when it',
    'has answered a GET of an instance. The floor is a process of the same Node that opens the same store, lists all objects and',
    'parses each. The file may be in the page cache, for both.',
  ].join('\n'),
  axis: 'instances in the store',
  sizes: [1_000, 10_000, 100_000],
  figures: [
    { name: 'serving', title: 'serving', unit: 'ms' },
    { name: 'rss', title: 'resident memory then', unit: 'MiB' },
  ],
  goals: [{ figure: 'serving', atMost: 3_000, sizes: [100_000] }],

  async open(size, { folder }) {
    const dataDir = join(folder, 'server');
    await fillDataDir(dataDir, { hosts: size * 0.3, instances: size });
    // The authority and the tokens are made once.
    await (await startServer({ dataDir })).close();
    return {
      async run() {
        const started = performance.now();
        const server = await startServer({ dataDir });
        const client = new HttpsClient(server.access, 1);
        try {
          await client.expect(200, 'GET', `${INSTANCES}/web-0`);
          return { figures: { serving: performance.now() - started, rss: memoryMiB(server.child.pid).now } };
        } finally {
          client.close();
          await server.close();
        }
      },
      floor: async () => ({ serving: await readTime(dataDir) }),
      close: async () => {},
    };
  },
};
