/** What `plumb agent` was asked to do. */
import { resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { type FieldError, terminal } from '@plumb/schemas';
import type { AgentLimits } from '@plumb/schemas/limits/agent.ts';
import { readLimits } from '@plumb/schemas/limits/read.ts';
import { isSource, SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { serverAddress } from './identity/trust.ts';

export const USAGE = `plumb agent --server URL --token-file FILE --host NAME [--register ZONE] --driver libvirt
            [--libvirt-socket PATH] [--tunnel-address ADDRESS] [--data-dir DIR] [--limits FILE]
            [--image-folder DIR]... [--image-source CIDR|HOST]...
plumb agent --server URL --token-file FILE [--register ZONE] --driver simulated
            (--hosts N [--prefix NAME] | --host NAME) [--streams N] [--latency-ms N] [--failure-rate 0..1]
            [--seed N] [--cpus N] [--memory-mib N] [--data-dir DIR] [--limits FILE]
            [--image-folder DIR]... [--image-source CIDR|HOST]...

  --server URL            the control plane, https://host:port
  --token-file FILE       a join token: what plumb join-token create prints, or the file join-token in the data folder of a
                          server on a loopback address
  --host NAME             name of the host; its Host object has the same name
  --register ZONE         let the control plane declare the host in this zone, if nobody has
  --driver NAME           libvirt: QEMU/KVM guests on this machine. simulated: hosts in memory, empty at each start
  --data-dir DIR          where credentials, and with libvirt images and disks, are kept; .plumb/agent, if not given
  --limits FILE           bounds on what comes from outside, as JSON; "plumb limits" lists them
  --image-folder DIR      files below it may be images (file:// URLs); without one, no file may. Again for more folders
  --image-source SOURCE   an address, a block of them (10.0.0.0/8) or a host name that images may be fetched from with https
                          and http, and nothing else then; without one, everything but this host, its link and what is
                          reserved. Again for more sources
  --libvirt-socket PATH   libvirt's socket, if it is not in its usual place
  --tunnel-address ADDR   IPv4 address of this host at which it receives VXLAN; that from which it reaches the server, if not
                          given. Other hosts are told spec.tunnelAddress of its Host, or where its stream comes from
  --hosts N               how many simulated hosts: PREFIX-0, PREFIX-1 …
  --prefix NAME           sim, if not given
  --streams N             over how many connections the simulated hosts are spread; 1, if not given
  --latency-ms N          mean time of one operation; 0, if not given
  --failure-rate X        share of operations that fail, 0 to 1; 0, if not given
  --seed N                makes the simulated chance repeatable; 1, if not given
  --cpus N --memory-mib N what each simulated host has; 64 and 262144, if not given
`;

export interface AgentCommand {
  server: string;
  tokenFile: string;
  dataDir: string;
  registerZone?: string;
  limits: AgentLimits;
  sources: SourceRules;
  driver: LibvirtArguments | SimulatedArguments;
}

export interface LibvirtArguments {
  name: 'libvirt';
  host: string;
  socket?: string;
  tunnelAddress?: string;
}

export interface SimulatedArguments {
  name: 'simulated';
  hosts: string[];
  streams: number;
  latencyMs: number;
  failureRate: number;
  seed: number;
  cpus: number;
  memoryMiB: number;
}

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', short: 'h' } as const;
const options = {
  ...{ server: text, 'token-file': text, host: text, register: text, driver: text, 'data-dir': text, limits: text },
  ...{ 'libvirt-socket': text, 'tunnel-address': text, 'image-folder': texts, 'image-source': texts },
  ...{ hosts: text, prefix: text, streams: text, 'latency-ms': text, 'failure-rate': text, seed: text },
  ...{ cpus: text, 'memory-mib': text, help: flag },
} as const;

type Options = typeof options;
type Values = {
  [K in keyof Options]?: Options[K] extends typeof flag ? boolean : Options[K] extends typeof texts ? string[] : string;
};

/**
 * Reads the arguments after `plumb agent`; undefined when help was asked for. Throws PlumbError `InvalidArguments`
 * (terminal) that names everything that is wrong, or `InvalidLimits`.
 */
export function parseAgentCommand(argv: readonly string[]): AgentCommand | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const errors: FieldError[] = [];
  const needed = (name: keyof Values) => {
    const value = values[name];
    if (typeof value === 'string' && value !== '') return value;
    errors.push({ field: `--${name}`, message: 'is required' });
    return '';
  };
  const number = (name: keyof Values, otherwise: number, least: number, most: number, whole = true) => {
    const given = values[name];
    if (given === undefined) return otherwise;
    const value = Number(given);
    if (given !== '' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    const kind = whole ? 'a whole number' : 'a number';
    errors.push({ field: `--${name}`, message: `must be ${kind} from ${least} to ${most}, not ${given}` });
    return otherwise;
  };
  const server = needed('server');
  if (server !== '') checkServer(server, errors);
  const command = {
    server,
    tokenFile: resolve(needed('token-file')),
    dataDir: resolve(values['data-dir'] ?? '.plumb/agent'),
    registerZone: values.register,
    limits: readLimits(values.limits).agent,
  };
  const sources = sourceRules(values, command.dataDir, errors);
  const driver = needed('driver');
  let read: LibvirtArguments | SimulatedArguments | undefined;
  if (driver === 'libvirt')
    read = {
      name: 'libvirt',
      host: needed('host'),
      socket: values['libvirt-socket'],
      tunnelAddress: values['tunnel-address'],
    };
  else if (driver === 'simulated')
    read = {
      name: 'simulated',
      hosts: values.host === undefined ? many(number('hosts', 1, 1, 100_000), values.prefix ?? 'sim') : [values.host],
      streams: number('streams', 1, 1, 1000),
      latencyMs: number('latency-ms', 0, 0, 3_600_000, false),
      failureRate: number('failure-rate', 0, 0, 1, false),
      seed: number('seed', 1, 0, 2 ** 32 - 1),
      cpus: number('cpus', 64, 1, 65_536),
      memoryMiB: number('memory-mib', 262_144, 1, 2 ** 40),
    };
  else if (driver !== '') errors.push({ field: '--driver', message: `must be libvirt or simulated, not ${driver}` });
  if (values.host !== undefined && values.hosts !== undefined)
    errors.push({ field: '--hosts', message: 'and --host exclude each other: name one host, or say how many' });
  if (errors.length > 0 || read === undefined) throw invalid(errors);
  return { ...command, sources, driver: read };
}

function parse(argv: readonly string[]): Values {
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    throw terminal('InvalidArguments', `${(error as Error).message}\n\n${USAGE}`);
  }
}

function checkServer(server: string, errors: FieldError[]): void {
  try {
    serverAddress(server);
  } catch {
    errors.push({ field: '--server', message: `must be of the form https://host:port, not ${server}` });
  }
}

function sourceRules(values: Values, dataDir: string, errors: FieldError[]): SourceRules {
  const { 'image-folder': folders = [], 'image-source': sources = [] } = values;
  for (const source of sources)
    if (!isSource(source))
      errors.push({
        field: '--image-source',
        message: `must be an IP address, a block of them such as 10.0.0.0/8, or a host name, not ${source}`,
      });
  for (const folder of folders)
    if (isWithin(dataDir, resolve(folder)))
      errors.push({
        field: '--image-folder',
        message: `must not lie in the data folder of the agent, which holds its secrets: ${folder}`,
      });
  return new SourceRules({ folders, sources: sources.filter(isSource), dataDir });
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function invalid(errors: FieldError[]) {
  const lines = errors.map(({ field, message }) => `${field} ${message}`);
  return terminal('InvalidArguments', `${lines.join('\n')}\n\n${USAGE}`, errors);
}

function many(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
