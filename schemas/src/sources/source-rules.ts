/**
 * From where an operator lets something be fetched that others declare: images (`plumb agent --image-folder DIR --image-source
 * CIDR|HOST`), git repositories (`plumb server --git-folder DIR --git-source CIDR|HOST`). Each option is given as often as needed.
 * Pure: it judges addresses that others have resolved.
 */
import { resolve } from 'node:path';
import { type Address, type Block, carriedAddresses, contains, parseBlock } from './address.ts';

export interface SourceRulesInit {
  /** Folders whose files may be images; none, if absent. */
  folders?: readonly string[];
  /** Address blocks and host names, and nothing else then; every address but the ones below, if absent or empty. */
  sources?: readonly string[];
  /** The agent's data folder: no file in it is an image. */
  dataDir?: string;
}

/**
 * `open`: may be connected to, and messages may say what happened there. `discreet`: may be connected to, but a message
 * that told a closed port from a missing file would let its reader map the private network of the host.
 */
export type Verdict = 'refused' | 'discreet' | 'open';

const blocks = (...texts: string[]) => texts.map((text) => parseBlock(text)!);

/** Never an image server by accident: this host, the link, groups, what is reserved, and the metadata services of clouds. */
const REFUSED = blocks(
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'],
);
/** Of IPv6 only what is global unicast, unique local, or IPv4 behind NAT64; the rest is special (RFC 6890). */
const ORDINARY_IPV6 = blocks('2000::/3', 'fc00::/7', '64:ff9b::/96');
const PRIVATE = blocks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');

const HOST_NAME =
  /^(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$/;
/** Ports below this belong to services of the system; the two are those of the web. */
const FIRST_FREE_PORT = 1024;
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);

/** Whether the text can be an `--image-source`. */
export function isSource(text: string): boolean {
  return parseBlock(text) !== undefined || HOST_NAME.test(text.toLowerCase());
}

export class SourceRules {
  /** As it was made, for another process. */
  readonly init: SourceRulesInit;
  readonly folders: readonly string[];
  readonly dataDir: string | undefined;
  readonly #blocks: Block[] = [];
  readonly #hosts = new Set<string>();

  constructor(init: SourceRulesInit = {}) {
    const { folders = [], sources = [], dataDir } = init;
    this.init = init;
    this.folders = folders.map((folder) => resolve(folder));
    this.dataDir = dataDir;
    for (const source of sources) {
      const block = parseBlock(source);
      if (block) this.#blocks.push(block);
      else this.#hosts.add(canonicalHost(source));
    }
  }

  /** Whether only named sources are allowed. */
  get restricted(): boolean {
    return this.#blocks.length > 0 || this.#hosts.size > 0;
  }

  /** Whether addresses are among what is named, so that a name of whose address nothing is known may be meant. */
  get namesAddresses(): boolean {
    return this.#blocks.length > 0;
  }

  namesHost(host: string): boolean {
    return this.#hosts.has(canonicalHost(host));
  }

  /** Whether `host`, found at `address`, may be connected to. `own`: what the host's kernel takes for itself. */
  judge(host: string, port: number, address: Address, own: readonly Block[]): Verdict {
    if (this.namesHost(host)) return 'open';
    const isNamed = (one: Address) => this.#blocks.some((block) => contains(block, one));
    const isSpecial = (one: Address) => [...REFUSED, ...own].some((block) => contains(block, one));
    if (carriedAddresses(address).some((one) => isSpecial(one) && !isNamed(one))) return 'refused';
    if (isNamed(address)) return 'open';
    if (this.restricted || isSpecial(address)) return 'refused';
    if (address.family === 6 && !ORDINARY_IPV6.some((block) => contains(block, address))) return 'refused';
    if (port < FIRST_FREE_PORT && !WEB_PORTS.has(port)) return 'refused';
    return [address, ...carriedAddresses(address)].some(isPrivate) ? 'discreet' : 'open';
  }
}

function isPrivate(address: Address): boolean {
  return PRIVATE.some((block) => contains(block, address));
}

function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
