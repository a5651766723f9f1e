import type { Case } from '../case.ts';
import { addNetwork, runEstate } from '../processes/estate.ts';
import { createAndDelete } from './burst.ts';

const HOSTS = 1_000;
const STREAMS = 8;
const BURST = 500;

export const growth: Case = {
  name: 'growth',
  title: 'What a create costs as the estate grows',
  about: [
    'A burst of 500 creates, as in the first case, on 1,000 hosts that N settled instances live on already. The case’s own figure',
    'is the processor time of the server for one create, from the first POST until all 500 are Running.',
  ].join('\n'),
  axis: 'instances that are there already',
  sizes: [1_000, 10_000, 100_000],
  figures: [
    { name: 'serverCpuPerCreate', title: 'server CPU per create', unit: 'ms' },
    { name: 'ready', title: 'all 500 Running', unit: 'ms' },
    { name: 'half', title: 'half of them Running', unit: 'ms' },
    { name: 'gone', title: 'all deleted', unit: 'ms' },
    { name: 'recordsPerCreate', title: 'records per create', unit: 'count' },
    { name: 'bytesPerCreate', title: 'bytes stored per create', unit: 'bytes' },
    { name: 'messagesToAgentsPerCreate', title: 'messages to agents per create', unit: 'count' },
  ],
  goals: [{ figure: 'serverCpuPerCreate', atMost: 1.2, times: { size: 1_000 }, sizes: [10_000, 100_000] }],
  picture: { y: 'linear' },
  async open(size, { folder, profiled, tree }) {
    const estate = await runEstate({
      ...{ folder, profiled, tree, hosts: HOSTS, instances: size, streams: STREAMS, connections: BURST },
    });
    try {
      await addNetwork(estate.client);
    } catch (error) {
      await estate.close();
      throw error;
    }
    return { run: (repetition) => createAndDelete(estate, BURST, `g${repetition}`), close: estate.close };
  },
};
