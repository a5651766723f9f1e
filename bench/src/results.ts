import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BurstResult } from './burst.ts';
import type { Surroundings } from './machine.ts';
import type { Spread } from './statistics.ts';
import type { StoreResult } from './store-speed.ts';

/** The last measurement of each case, with where and of what. */
export interface Results {
  bursts: Record<string, BurstResult & { measured: Surroundings }>;
  store?: StoreResult & { measured: Surroundings };
}

const JSON_FILE = 'results.json';
const MARKDOWN_FILE = 'results.md';

export function readResults(folder: string): Results {
  try {
    return JSON.parse(readFileSync(join(folder, JSON_FILE), 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { bursts: {} };
    throw error;
  }
}

export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, JSON_FILE), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, MARKDOWN_FILE), formatResults(results));
}

/** The results for people. */
export function formatResults({ bursts, store }: Results): string {
  const parts = ['# Benchmark results', '', 'Made by `npm run bench`; the numbers are in `results.json` too.'];
  const all = Object.values(bursts).sort((a, b) => a.instances - b.instances);
  if (all.length > 0) parts.push('', ...burstTables(all));
  if (store) parts.push('', ...storeTable(store));
  parts.push('', '## Measured on', '');
  const measured = new Map([...all, ...(store ? [store] : [])].map((one) => [JSON.stringify(one.measured), one]));
  for (const { measured: m } of measured.values()) {
    const versions = Object.entries(m.versions).map(([name, version]) => `${name} ${version}`);
    const machine = `${m.processor}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.kernel}, load before ${m.loadBefore}`;
    parts.push(`- ${m.date}, commit ${m.commit}: ${machine}; ${versions.join(', ')}`);
  }
  return `${parts.join('\n')}\n`;
}

function burstTables(all: BurstResult[]): string[] {
  const { hosts, connections } = all[0]!;
  return [
    `## Burst of instances to Ready, ${hosts} simulated hosts`,
    '',
    `A server with its SQLite store and an agent for ${hosts} simulated hosts, each a process. N instances are POSTed over`,
    `${connections} warm TLS connections; the clock stops when a watch has shown the last of them Ready. The floor beside it,`,
    'measured in the same run, is the sum of N authenticated POSTs to a server that only answers 201, 3N records of 1 KiB made',
    'durable in three transactions, and N round trips on one gRPC stream over TLS. Milliseconds: median (min – max) of the',
    'repetitions behind one that warms up.',
    '',
    '| instances | all Ready | floor | ratio | half Ready | all answered | all deleted | repetitions |',
    '|---|---|---|---|---|---|---|---|',
    ...all.map((r) =>
      row(
        r.instances,
        ms(r.ready),
        ms(r.floor.total),
        `**${r.ratio.toFixed(1)}**`,
        one(r.readyHalf),
        ms(r.answered),
        ms(r.gone),
        r.repetitions,
      ),
    ),
    '',
    'The parts of the floor:',
    '',
    '| instances | POSTs | records | round trips |',
    '|---|---|---|---|',
    ...all.map((r) => row(r.instances, ms(r.floor.posts), ms(r.floor.records), ms(r.floor.roundTrips))),
    '',
    'What one create costs us, from the POST to Ready (medians):',
    '',
    '| instances | records | bytes | batches | waits for the disk | messages to agents | from agents | server CPU ms | agent CPU ms |',
    '|---|---|---|---|---|---|---|---|---|',
    ...all.map(({ instances, perCreate: c }) =>
      row(
        instances,
        one(c.records),
        Math.round(c.bytes),
        one(c.batches),
        c.transactions.toFixed(2),
        one(c.messagesToAgents),
        one(c.messagesFromAgents),
        c.serverCpuMs.toFixed(2),
        Number.isFinite(c.agentCpuMs) ? c.agentCpuMs.toFixed(2) : 'not known',
      ),
    ),
  ];
}

function storeTable(store: StoreResult): string[] {
  return [
    '## The embedded store by itself',
    '',
    `${whole(store.objects)} objects of 1,000 bytes. Per second: median (min – max) of ${store.repetitions} repetitions behind one that warms up.`,
    '',
    '| what | per second |',
    '|---|---|',
    row('puts, in batches of 100', rate(store.putsInBatches)),
    row('commits of one key, one caller', rate(store.commitsOneByOne)),
    row('read and commit with a precondition, 100 callers', rate(store.commitsOf100Callers)),
    row('gets', rate(store.gets)),
    row('objects listed in one call', rate(store.listed)),
    '',
    `One commit of one caller takes ${store.commitMs.median.toFixed(2)} ms, in one of a hundred cases ${store.commitMs.p99.toFixed(2)} ms or more.`,
  ];
}

function row(...cells: (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ms({ median, min, max }: Spread): string {
  return `${one(median)} (${one(min)} – ${one(max)})`;
}

function rate({ median, min, max }: Spread): string {
  return `${whole(median)} (${whole(min)} – ${whole(max)})`;
}

function one(value: number): string {
  return value >= 100 ? whole(value) : value.toFixed(1);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
