/**
 * A process with simulated hosts that hang and fail as they are told, for the agent of the commit in whose tree this file lies.
 * It is told by lines of JSON, `[request, argument]`, and answers each with one.
 *
 *   node hosts.ts URL TOKEN-FILE DATA-DIR HOST=ADDRESS…
 */
import { createInterface } from 'node:readline';
import { SimulatedHost } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { runAgent } from '@plumb/agent/main.ts';
import { realAmbient } from '@plumb/schemas';
import { Rules, unruly } from './unruly.ts';

const [server, tokenFile, dataDir, ...named] = process.argv.slice(2) as [string, string, string, ...string[]];
const ambient = realAmbient();
const rules = new Rules();
const hosts = named.map((text) => {
  const [name, tunnelAddress] = text.split('=') as [string, string];
  const host = new SimulatedHost({ clock: ambient.clock, random: ambient.random, cpus: 64, memoryMiB: 65536 });
  return { name, tunnelAddress, host, driver: unruly(host, rules) };
});

const answers: Record<string, (argument: never) => unknown> = {
  rule: (rule: Parameters<Rules['add']>[0]) => rules.add(rule),
  know([owner]: [string]) {
    rules.know(owner);
  },
  clear: (id: string) => rules.remove(id),
  met: (id: string) => rules.get(id)?.met ?? 0,
  kill: async ({ host, id }: { host: string; id: string }) =>
    hosts.find(({ name }) => name === host)?.host.kill(id, 'crashed'),
  async dump() {
    const all = hosts.map(async ({ name, tunnelAddress, host }) => {
      const lives = await host.observe();
      const boots = lives.filter(({ kind }) => kind === 'domain').map(({ id }) => [id, host.bootsOf(id)]);
      return { name, tunnelAddress, lives, boots: Object.fromEntries(boots) };
    });
    return Promise.all(all);
  },
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [request, argument] = JSON.parse(line) as [string, never];
  const answer = await answers[request]!(argument);
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`);
});

await runAgent({
  ...{ server, tokenFile, dataDir, hosts, ambient, streams: hosts.length },
  log: (line: string) => process.stderr.write(`${line}\n`),
});
