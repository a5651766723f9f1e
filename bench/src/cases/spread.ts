import type { Case } from '../case.ts';
import { Followed, isReady } from '../http/followed.ts';
import { type Around, INSTANCES, instance, type Plumb, startPlumb } from '../processes/plumb.ts';
import { createAndDelete } from './burst.ts';

const HOSTS = 200;
const CLIENTS = 50;
const BURST = 50;

/** One group for all: each new member is put where the fewest of the others are. */
const GROUP: Around = { zone: 'bench', image: 'tiny', spec: { spread: { group: 'all' } } };

export const spread: Case = {
  name: 'spread',
  title: 'One more member of a spread group',
  about: [
    'A spread group has N members on 200 hosts, and 50 more are created at once and deleted again. The case’s own figure is the',
    'processor time of the server for one create, from the first POST until all 50 are Running.',
  ].join('\n'),
  axis: 'members that the group has already',
  sizes: [10, 100, 1_000],
  repetitions: 15,
  figures: [
    { name: 'serverCpuPerCreate', title: 'server CPU per create', unit: 'ms' },
    { name: 'ready', title: 'all 50 Running', unit: 'ms' },
    { name: 'half', title: 'half of them Running', unit: 'ms' },
  ],
  goals: [{ figure: 'serverCpuPerCreate', atMost: 1.3, times: { size: 10 }, sizes: [100, 1_000] }],
  picture: { y: 'linear' },
  async open(size, { folder, profiled, tree }) {
    const plumb = await startPlumb({ folder, hosts: HOSTS, connections: CLIENTS, profiled, tree });
    try {
      await makeMembers(plumb, size);
    } catch (error) {
      await plumb.close();
      throw error;
    }
    return {
      async run(repetition) {
        const { figures, profile } = await createAndDelete({ ...plumb, around: GROUP }, BURST, `m${repetition}`);
        const { serverCpuPerCreate, ready, half } = figures as Record<string, number>;
        return { figures: { serverCpuPerCreate: serverCpuPerCreate!, ready: ready!, half: half! }, profile };
      },
      close: plumb.close,
    };
  },
};

async function makeMembers({ client }: Plumb, size: number): Promise<void> {
  const running = new Set<string>();
  const followed = await Followed.open(client, INSTANCES, ({ object }) => {
    if (isReady(object)) running.add(object.metadata.name);
  });
  try {
    const all = followed.until(
      () => running.size === size,
      () => `${size - running.size} of ${size} members are not Ready`,
    );
    const names = Array.from({ length: size }, (_, i) => `member-${i}`);
    const posts = names.map((name) => client.expect(201, 'POST', INSTANCES, instance(name, GROUP)));
    await Promise.all([all, ...posts]);
  } finally {
    followed.close();
  }
}
