/**
 * `node bench/src/estate/agent.ts --server URL --token-file FILE --data-dir DIR [--hosts N] [--instances N] [--streams N] [--grouped]`:
 * plays the hosts of an estate, each of which carries what the filled store says, on N streams. SIGUSR1 breaks every
 * stream, as a network that fails does. What it keeps of each host is in memory: it joins nothing anew.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SimulatedHost } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { SpecPool } from '@plumb/agent/drivers/simulated/spec-pool.ts';
import { type AgentHost, runAgent } from '@plumb/agent/main.ts';
import { realAmbient } from '@plumb/schemas';
import { Estate } from './estate.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    server: text,
    'token-file': text,
    'data-dir': text,
    hosts: text,
    instances: text,
    streams: text,
    grouped: { type: 'boolean' },
  },
});
const { server, 'token-file': tokenFile, 'data-dir': dataDir } = values;
if (!server || !tokenFile || !dataDir) throw new Error('--server, --token-file and --data-dir are required');
const estate = new Estate({
  hosts: Number(values.hosts ?? 30_000),
  instances: Number(values.instances ?? 100_000),
  grouped: values.grouped ?? false,
});
const ambient = realAmbient();
const pool = new SpecPool();
const kept = new Map<string, string>();
const hosts: AgentHost[] = [];
for (let i = 0; i < estate.hosts; i++) {
  const name = estate.hostName(i);
  const { cpus, memoryMiB, tunnelAddress } = estate.facts(i);
  const credential = estate.credential(i);
  kept.set(join(dataDir, 'hosts', `${name}.json`), JSON.stringify({ credential, joined: true, highestTerm: 0 }));
  const { clock, random } = ambient;
  const carries = () => estate.resourcesOn(i);
  hosts.push({ name, tunnelAddress, driver: new SimulatedHost({ clock, random, pool, cpus, memoryMiB, carries }) });
}
const log = (line: string) => process.stderr.write(`${line}\n`);
const agent = await runAgent({
  ...{ server, tokenFile, dataDir, hosts, streams: Number(values.streams ?? 64), ambient, log },
  files: {
    read: async (path) => kept.get(path),
    async write(path, content) {
      kept.set(path, content);
    },
  },
});
process.on('SIGUSR1', () => agent.interrupt());
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void agent.stop().then(() => process.exit(0)));
