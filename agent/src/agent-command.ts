import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { realFiles } from '@plumb/schemas/files/private-file.ts';
import { checkContents, openPrivateFolder } from '@plumb/schemas/files/private-folder.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { watchForEnd } from '@plumb/schemas/meta/process-end.ts';
import type { AgentCommand, LibvirtArguments, SimulatedArguments } from './command-line.ts';
import { parseAgentCommand, USAGE } from './command-line.ts';
import { openOrWait } from './drivers/late-driver.ts';
import { latencyAround } from './drivers/simulated/latency.ts';
import { seededRandom } from './drivers/simulated/seeded-random.ts';
import { SimulatedHost } from './drivers/simulated/simulated-host.ts';
import { SpecPool } from './drivers/simulated/spec-pool.ts';
import { testAddresses } from './drivers/simulated/test-addresses.ts';
import { lockDataFolder } from './host/data-lock.ts';
import { ownAddress } from './host/own-address.ts';
import { withSpares } from './identity/spare-file.ts';
import { serverAddress } from './identity/trust.ts';
import { type AgentHost, runAgent } from './main.ts';

/**
 * `plumb agent`: runs until SIGTERM or SIGINT, then leaves everything running and returns 0. `argv`: what follows
 * `plumb agent`. Throws PlumbError `InvalidArguments` (terminal), whose message is for the person who typed them.
 */
export async function agentCommand(argv: readonly string[]): Promise<number> {
  const command = parseAgentCommand(argv);
  if (command === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { limits } = command;
  // One line each: parts of it come from guests, libvirt and the server.
  const log = (line: string) => {
    process.stderr.write(`${new Date().toISOString()} ${printable(line, limits.logLineCharacters)}\n`);
  };
  const end = watchForEnd('plumb agent');
  command.dataDir = openDataFolder(command.dataDir, log);
  const { server, tokenFile, dataDir, registerZone, driver } = command;
  using _alone = lockDataFolder(dataDir, driver.name === 'libvirt' ? [driver.host, 'libvirt'] : [driver.hosts[0]!]);
  const hosts = driver.name === 'libvirt' ? await libvirtHost(driver, command, log) : simulatedHosts(driver, command);
  const streams = driver.name === 'simulated' ? driver.streams : 1;
  const ambient = realAmbient();
  // A real host has one file to keep and a disk that guests fill.
  const files = driver.name === 'libvirt' ? withSpares() : realFiles;
  const agent = await runAgent({
    ...{ server, tokenFile, dataDir, registerZone, hosts, streams, limits, ambient, log, files },
  });
  log(`agent for ${hosts.length === 1 ? hosts[0]!.name : `${hosts.length} hosts`}, driver ${driver.name}`);
  const code = await end.wanted;
  log('leaving; what runs goes on');
  await agent.stop();
  return code;
}

/**
 * Checks what decides whom the agent trusts and as whom it speaks, before any of it is read, and closes it to other users.
 * QEMU, which is another user, passes through the folder to disks and images.
 */
function openDataFolder(path: string, log: (line: string) => void): string {
  const folder = openPrivateFolder(path, { passable: true, log });
  checkContents(folder, log, (name) => name === 'control-plane.crt');
  checkContents(openPrivateFolder(join(folder, 'hosts'), { log }), log);
  return folder;
}

async function libvirtHost(
  { host, socket, tunnelAddress: given }: LibvirtArguments,
  { server, dataDir, limits, sources }: AgentCommand,
  log: (line: string) => void,
): Promise<AgentHost[]> {
  const tunnelAddress = given ?? (await ownAddress(serverAddress(server).host));
  // Only a host that has libvirt needs what this driver needs.
  const { machineFacts, openLibvirtDriver } = await import('./drivers/libvirt/driver.ts');
  const driver = await openOrWait({
    ...{ name: 'libvirt', facts: machineFacts, clock: realAmbient().clock, log },
    open: () => openLibvirtDriver({ host, socket, dataDir, tunnelAddress, limits, sources, log }),
  });
  return [{ name: host, tunnelAddress, driver }];
}

function simulatedHosts(simulated: SimulatedArguments, { sources, dataDir }: AgentCommand): AgentHost[] {
  const { hosts, latencyMs, failureRate, seed, cpus, memoryMiB } = simulated;
  const { clock } = realAmbient();
  const addressOf = testAddresses(hosts.length, `${dataDir} ${hosts[0]}`);
  const pool = new SpecPool();
  const latency = latencyMs > 0 ? latencyAround(latencyMs) : undefined;
  return hosts.map((name, index) => ({
    name,
    tunnelAddress: addressOf(index),
    driver: new SimulatedHost({
      ...{ clock, latency, failureRate, pool, cpus, memoryMiB, sources },
      random: seededRandom(seed + index),
    }),
  }));
}
