import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Case } from '../case.ts';
import { HttpsClient } from '../http/client.ts';
import { allReady } from '../http/followed.ts';
import { GROUP, startAgent, startServer } from '../processes/plumb.ts';
import { watchUsage } from '../processes/usage.ts';

/** Memory that a start needed is given back after a while. */
const SETTLE_MS = 60_000;
const WINDOW_MS = 30_000;

export const idle: Case = {
  name: 'idle',
  title: 'A server that has nothing to do',
  about: [
    'A server with an empty store, and N hosts on one stream that have nothing to say but that they are there. A minute',
    'after it is ready it is looked at for 30 seconds in each repetition. There is no floor: Node itself, with the same libraries',
    'loaded and none of our code, takes 78 to 93 MiB.',
  ].join('\n'),
  axis: 'hosts connected',
  sizes: [0, 1_000],
  figures: [
    { name: 'rss', title: 'resident memory', unit: 'MiB' },
    { name: 'cpu', title: 'of one core', unit: '%' },
  ],
  goals: [
    { figure: 'rss', atMost: 120, sizes: [0] },
    { figure: 'cpu', atMost: 0.5, sizes: [0] },
  ],
  picture: { x: 'names', y: 'linear' },
  repetitions: 5,
  async open(size, { folder, tree }) {
    await using started = new AsyncDisposableStack();
    const server = await startServer({ dataDir: join(folder, 'server'), tree });
    started.defer(() => server.close());
    if (size > 0) {
      const client = new HttpsClient(server.access, 1);
      started.defer(() => client.close());
      const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'bench' }, spec: {} };
      await client.expect(201, 'POST', `${GROUP}/zones`, JSON.stringify(zone));
      const agent = await startAgent(server, { dataDir: join(folder, 'agent'), hosts: size });
      started.defer(() => agent.end());
      await allReady(client, `${GROUP}/hosts`, size);
    }
    await wait(SETTLE_MS);
    const running = started.move();
    return {
      async run(repetition) {
        const usage = watchUsage(server.child.pid);
        await wait(repetition === 0 ? WINDOW_MS / 10 : WINDOW_MS);
        return { figures: usage() };
      },
      close: () => running.disposeAsync(),
    };
  },
};
