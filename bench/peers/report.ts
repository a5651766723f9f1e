import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spread } from '../src/statistics.ts';
import { digits, range } from '../src/words.ts';
import type { PeerName, PeerResults, RecordedRun } from './result.ts';

const NAMES: Record<PeerName, string> = {
  plumb: 'Plumb',
  kubernetes: 'Kubernetes with kwok',
  ganeti: 'Ganeti with its fake hypervisor',
};

/** As many cores of others as make times mean little, on a machine of two. */
const NOTEWORTHY_CORES = 0.25;

/** What a peer does before it answers that something is created. */
const DURABILITY: Record<PeerName, string> = {
  plumb:
    'SQLite, WAL, `fdatasync` of the log by ourselves (`synchronous=NORMAL` for the rest): answered when it is on the disk; writes that come together share one wait for it',
  kubernetes:
    'etcd, one member, WAL with `fdatasync` (its default): answered when it is on the disk; writes that come together share one wait for it',
  ganeti:
    'files with `fsync` (its default): the whole configuration for each change, and each job of the queue at each of its turns',
};

export function keepPeerResults(folder: string, results: PeerResults): void {
  mkdirSync(folder, { recursive: true });
  const rounded = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  writeFileSync(join(folder, 'peers.json'), `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(join(folder, 'peers.md'), formatPeers(results));
}

/** The results for people. */
export function formatPeers(results: PeerResults): string {
  const { measured: m, runs, hosts, connections, rounds, encoding } = results;
  const sizes = [...new Set(runs.map(({ size }) => size))].sort((a, b) => a - b);
  const names = [...new Set(runs.map(({ peer }) => peer))];
  const versions = Object.entries({ ...m.versions, ...results.peerVersions });
  return [
    '# Beside others',
    `Made by \`npm run bench -- peers\`; every repetition is in \`peers.json\`. How the others were built and set, and what ` +
      'is compared with what: [README](../peers/README.md). Numbers are median (min – max).',
    `${rounds} rounds; in each round every one of them is started anew with an empty store, one after the other on the ` +
      `same machine and disk, warmed up, and measured while the others are not there. ${digits(hosts)} simulated hosts ` +
      `(Ganeti: one), ${connections} connected clients; pods are sent as ${encoding}. The clock runs from the first ` +
      'request until the last is seen Running.',
    ...disturbed(runs),
    ...sizes.flatMap((size) => [`## ${digits(size)} at once`, sizeTable(runs, size, names)]),
    ...(results.failures.length > 0 ? ['## Failed', failures(results)] : []),
    '## Durability',
    table(
      ['', 'before a create is answered'],
      names.map((name) => [NAMES[name], DURABILITY[name]]),
    ),
    '## Measured on',
    `${m.date}, commit ${m.commit}: ${m.processor}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.kernel}; ` +
      `${versions.map(([name, version]) => `${name} ${version}`).join(', ')}.`,
  ]
    .join('\n\n')
    .concat('\n');
}

/** Times beside busy neighbours are theirs as much as ours: whoever has more threads gets more of what is left. */
function disturbed(runs: readonly RecordedRun[]): string[] {
  const { median } = spread(runs.map(({ othersCores }) => othersCores));
  if (median < NOTEWORTHY_CORES) return [];
  return [
    `**Other programs used ${digits(median)} cores meanwhile (median).** The times below are not what these programs take on ` +
      'a machine of their own, and their ratios are not either; processor time, records and waits per create hold.',
  ];
}

function failures({ failures }: PeerResults): string {
  return failures.map(({ peer, round, why }) => `- ${NAMES[peer]}, round ${round}: ${why}`).join('\n');
}

function sizeTable(all: readonly RecordedRun[], size: number, names: readonly PeerName[]): string {
  const of = (name: PeerName) => all.filter((run) => run.size === size && run.peer === name);
  const ours = of('plumb').map(({ ready }) => ready);
  const measured = names.filter((name) => of(name).length > 0);
  const line = (title: string, cell: (runs: RecordedRun[]) => string) => [title, ...measured.map((n) => cell(of(n)))];
  const each = (title: string, pick: (run: RecordedRun) => number | undefined, unit: 'ms' | 'MiB' | 'count') =>
    line(title, (runs) => {
      const values = runs.map(pick).filter((value) => value !== undefined);
      return values.length > 0 ? range(spread(values), unit) : '';
    });
  const times = (runs: RecordedRun[]) => spread(runs.map(({ ready }) => ready)).median / spread(ours).median;
  return table(
    ['', ...measured.map((name) => NAMES[name])],
    [
      each('all Running', ({ ready }) => ready, 'ms'),
      ...(ours.length > 0 ? [line('as many times as ours', (runs) => `**${digits(times(runs))}**`)] : []),
      each('half of them Running', ({ half }) => half, 'ms'),
      each('all requests answered', ({ answered }) => answered, 'ms'),
      each('processor time per create', ({ cpuMsPerCreate }) => cpuMsPerCreate, 'ms'),
      each('records written per create', ({ recordsPerCreate }) => recordsPerCreate, 'count'),
      each('waits for the disk per create', ({ syncsPerCreate }) => syncsPerCreate, 'count'),
      each('resident memory', ({ memoryMiB }) => memoryMiB, 'MiB'),
      line('repetitions', (runs) => String(runs.length)),
      each('cores that others used meanwhile', ({ othersCores }) => othersCores, 'count'),
    ],
  );
}

function table(head: string[], lines: string[][]): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), `|${head.map(() => '---|').join('')}`, ...lines.map(row)].join('\n');
}
