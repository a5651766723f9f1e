import { join } from 'node:path';
import type { Case } from '../case.ts';
import { readTime } from '../floor/read-time.ts';
import { HttpsClient } from '../http/client.ts';
import type { Child } from '../processes/child.ts';
import { addNetwork, ESTATE_AROUND, fillDataDir, settled, startEstateAgent } from '../processes/estate.ts';
import { startServer } from '../processes/plumb.ts';
import { memoryMiB } from '../processes/usage.ts';
import { createAndDelete } from './burst.ts';

const HOSTS = 30_000;
const STREAMS = 64;
const BURST = 500;
const PATIENCE_MS = 600_000;

export const million: Case = {
  name: 'million',
  title: 'A million instances',
  about: [
    'A store with N settled instances on 30,000 hosts. In each repetition the server is started; the clock stops when it is ready.',
    'Then all hosts attach on 64 streams and tell what lives on them, the server comes to rest, its memory is read, and 500 more',
    'instances are created at once, as in the first case, and deleted. The floor is that of the cold start.',
  ].join('\n'),
  axis: 'instances',
  sizes: [100_000, 300_000, 1_000_000],
  figures: [
    { name: 'start', title: 'ready', unit: 'ms' },
    { name: 'rss', title: 'resident memory at rest', unit: 'MiB' },
    { name: 'peak', title: 'resident memory at its highest', unit: 'MiB' },
    { name: 'attach', title: 'all hosts attached and at rest', unit: 'ms' },
    { name: 'ready', title: '500 more Running', unit: 'ms' },
    { name: 'serverCpuPerCreate', title: 'server CPU per create', unit: 'ms' },
    { name: 'gone', title: 'these deleted', unit: 'ms' },
  ],
  goals: [],
  repetitions: 5,
  async open(size, { folder, profiled }) {
    const dataDir = join(folder, 'server');
    const estate = { hosts: HOSTS, instances: size };
    await fillDataDir(dataDir, estate);
    let agent: Child | undefined;
    let listen: string | undefined;
    return {
      async run(repetition) {
        const starting = performance.now();
        // The agent stays, and finds the server where it was.
        const server = await startServer({ dataDir, listen, profiled });
        const start = performance.now() - starting;
        listen = new URL(server.access.url).host;
        const client = new HttpsClient(server.access, BURST);
        try {
          const attaching = performance.now();
          agent ??= await startEstateAgent(server, join(folder, 'agent'), estate, STREAMS);
          await settled(server, estate, PATIENCE_MS);
          const attach = performance.now() - attaching;
          const { now: rss, peak } = memoryMiB(server.child.pid);
          if (repetition === 0) await addNetwork(client);
          const burst = await createAndDelete(
            { server, agent, client, around: ESTATE_AROUND },
            BURST,
            `m${repetition}`,
          );
          const { ready, gone, serverCpuPerCreate } = burst.figures as Record<
            'ready' | 'gone' | 'serverCpuPerCreate',
            number
          >;
          return { ...burst, figures: { start, rss, peak, attach, ready, serverCpuPerCreate, gone } };
        } finally {
          client.close();
          await server.close();
        }
      },
      floor: async () => ({ start: await readTime(dataDir) }),
      close: async () => agent?.end(),
    };
  },
};
