/** Composition of the agent: everything that runs in it, listed in one place. */
import { type Ambient, PlumbError, terminal } from '@plumb/schemas';
import type { PrivateFiles } from '@plumb/schemas/files/private-file.ts';
import { type AgentLimits, defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import packageJson from '../package.json' with { type: 'json' };
import type { Driver } from './drivers/driver.ts';
import { Identity } from './identity/identity.ts';
import { Trust } from './identity/trust.ts';
import { Connection } from './session/connection.ts';
import type { Fences } from './session/fences.ts';
import { HostSession } from './session/host-session.ts';

export interface AgentOptions {
  /** `https://host:port` of the control plane. */
  server: string;
  /** File that holds the join token. Read again whenever it is needed. */
  tokenFile: string;
  /** Folder for the credentials of the hosts and the control plane's certificate. Made if missing. */
  dataDir: string;
  hosts: readonly AgentHost[];
  /** Over how many connections the hosts are spread; 1, if absent. */
  streams?: number;
  /** Zone in which the hosts are to be declared by themselves; a person declares them, if absent. */
  registerZone?: string;
  /** Where what is kept of each host goes; `dataDir` itself, if absent. */
  files?: PrivateFiles;
  /** Bounds on what comes from outside; defaults, if absent. */
  limits?: AgentLimits;
  ambient: Ambient;
  log: (line: string) => void;
}

export interface AgentHost {
  name: string;
  driver: Driver;
  tunnelAddress: string;
  fences?: Fences;
}

export interface RunningAgent {
  /** Takes leave of the control plane, gives running commands a moment to end, and lets go. Touches nothing that runs. */
  stop(): Promise<void>;
  /** Gives all streams up, as a lost connection does; the agent connects again. */
  interrupt(): void;
}

const GRACE_MS = 5_000;

/** Starts an agent for the hosts. Rejects when what is kept of none of them can be read; else it tries until stopped. */
export async function runAgent(options: AgentOptions): Promise<RunningAgent> {
  const { server, tokenFile, dataDir, log, files, registerZone = '', limits = defaultAgentLimits } = options;
  const { clock, random, ids } = options.ambient;
  const trust = new Trust({ server, tokenFile, dataDir, clock });
  const authority = await trust.keptPin();
  const sessions: HostSession[] = [];
  for (const { name, driver, tunnelAddress, fences } of options.hosts) {
    let identity: Identity;
    try {
      identity = await Identity.load(dataDir, name, ids, files, authority);
    } catch (error) {
      // What is damaged of one host keeps none of the others.
      if (options.hosts.length === 1) throw error;
      log(`${name} is left out: ${PlumbError.from(error, name).message}`);
      continue;
    }
    sessions.push(
      new HostSession({
        ...{ identity, driver, tunnelAddress, registerZone, limits, clock, random, log, fences },
        agentVersion: packageJson.version,
      }),
    );
  }
  if (sessions.length === 0) throw terminal('InvalidIdentity', 'nothing can be read of who any of the hosts is');
  const connections = spread(sessions, options.streams ?? 1).map(
    (hosts) => new Connection({ server, trust, hosts, registerZone, limits, clock, random, log }),
  );
  return {
    async stop() {
      await Promise.all(connections.map((connection) => connection.close()));
      let stopWaiting: () => void = () => {};
      const grace = new Promise<void>((resolve) => {
        stopWaiting = clock.after(GRACE_MS, resolve);
      });
      await Promise.race([Promise.all(sessions.map((session) => session.idle())), grace]);
      stopWaiting();
      await Promise.all(sessions.map((session) => session.close()));
    },
    interrupt() {
      for (const connection of connections) connection.interrupt();
    },
  };
}

/** Deals the items out over at most `piles` piles, none of them empty. */
function spread<T>(items: readonly T[], piles: number): T[][] {
  const dealt: T[][] = Array.from({ length: Math.min(piles, items.length) }, () => []);
  for (const [index, item] of items.entries()) dealt[index % dealt.length]!.push(item);
  return dealt;
}
