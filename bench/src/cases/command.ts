import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Case } from '../case.ts';
import { HttpsClient } from '../http/client.ts';
import { GROUP, startServer } from '../processes/plumb.ts';

/** Starts of each in one repetition: the quickest counts, since others on the machine only ever make one slower. */
const STARTS = 10;
const ROOT = join(import.meta.dirname, '..', '..', '..');

export const command: Case = {
  name: 'command',
  title: 'A start of the command',
  about: [
    '`plumb --help` and `plumb get zones` (N of them, over TLS from a server on this machine) from start to end of the process, the',
    `quickest of ${STARTS}. The floor is \`node -e 0\` of the same Node, in the same seconds, as quick. What is compiled is kept from the`,
    'first start on, as on any machine; the command is bundled if `npm run build` has done so.',
  ].join('\n'),
  axis: 'zones listed',
  sizes: [3],
  figures: [
    { name: 'help', title: '`plumb --help`', unit: 'ms' },
    { name: 'get', title: '`plumb get`', unit: 'ms' },
  ],
  goals: [
    { figure: 'help', atMost: 2, times: 'floor' },
    { figure: 'get', atMost: 4, times: 'floor' },
  ],
  picture: { x: 'names', y: 'linear', also: ['get'] },
  async open(size, { folder, tree = ROOT }) {
    const dataDir = join(folder, 'server');
    const server = await startServer({ dataDir, tree });
    const client = new HttpsClient(server.access, 1);
    for (let i = 0; i < size; i++) {
      const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: `bench-${i}` }, spec: {} };
      await client.expect(201, 'POST', `${GROUP}/zones`, JSON.stringify(zone));
    }
    client.close();
    const plumb = join(tree, 'bin', 'plumb.ts');
    const env = { ...process.env, KUBECONFIG: join(dataDir, 'kubeconfig') };
    return {
      run: async () => ({
        figures: { help: quickest([plumb, '--help'], env), get: quickest([plumb, 'get', 'zones'], env) },
      }),
      floor: async () => {
        const took = quickest(['-e', '0'], env);
        return { help: took, get: took };
      },
      close: () => server.close(),
    };
  },
};

/** Milliseconds. Throws when it fails. */
function quickest(args: readonly string[], env: NodeJS.ProcessEnv): number {
  const times = Array.from({ length: STARTS }, () => {
    const began = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
    return performance.now() - began;
  });
  return Math.min(...times);
}
