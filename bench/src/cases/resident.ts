import { setTimeout as wait } from 'node:timers/promises';
import type { Case, Figure } from '../case.ts';
import { runEstate } from '../processes/estate.ts';
import { memoryMiB, watchUsage } from '../processes/usage.ts';

/** Memory that a start needed is given back after a while. */
const SETTLE_MS = 60_000;
/** Two heartbeats of every host. */
const WINDOW_MS = 20_000;

const figures: readonly [Figure, ...Figure[]] = [
  { name: 'rss', title: 'resident memory', unit: 'MiB' },
  { name: 'peak', title: 'at its highest', unit: 'MiB' },
  { name: 'cpu', title: 'of one core', unit: '%' },
  { name: 'start', title: 'server started', unit: 'ms' },
  { name: 'attach', title: 'all hosts attached and at rest', unit: 'ms' },
];

export const resident: Case = {
  name: 'resident',
  title: 'A large estate at rest',
  about: [
    'N settled instances on 0.3 N hosts, on at most 64 streams, each with a heartbeat every 10 s that stands for its hosts. The',
    'server starts on a filled store, all hosts attach and tell everything that lives on them, and a minute after that its memory',
    'and processor time are measured over 20 s in each repetition.',
  ].join('\n'),
  axis: 'instances',
  sizes: [1_000, 10_000, 100_000],
  figures,
  goals: [
    { figure: 'rss', atMost: 512, sizes: [100_000] },
    { figure: 'cpu', atMost: 15, sizes: [100_000] },
  ],
  picture: { y: 'linear', also: ['peak'] },
  repetitions: 5,
  open: (size, { folder }) => openAtRest(folder, { hosts: size * 0.3, instances: size, streams: 64 }),
};

export const streams: Case = {
  name: 'streams',
  title: 'A stream for every host',
  about: [
    '5,000 hosts with 15,000 settled instances, on N streams: up to one real TLS connection for each host. Measured as the large',
    'estate at rest.',
  ].join('\n'),
  axis: 'streams',
  sizes: [64, 5_000],
  figures,
  goals: [],
  picture: { y: 'linear', also: ['peak'] },
  repetitions: 5,
  open: (size, { folder }) => openAtRest(folder, { hosts: 5_000, instances: 15_000, streams: size }),
};

async function openAtRest(folder: string, size: { hosts: number; instances: number; streams: number }) {
  const estate = await runEstate({ folder, ...size });
  const { pid } = estate.server.child;
  const { startMs, attachMs } = estate;
  await wait(SETTLE_MS);
  return {
    async run(repetition: number) {
      const usage = watchUsage(pid);
      await wait(repetition === 0 ? WINDOW_MS / 2 : WINDOW_MS);
      return { figures: { ...usage(), peak: memoryMiB(pid).peak, start: startMs, attach: attachMs } };
    },
    close: estate.close,
  };
}
