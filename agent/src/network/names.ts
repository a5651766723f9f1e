/** How the kernel's objects of one driver are called, and how they say whose they are. */
import { createHash } from 'node:crypto';
import type { ResourceType } from '@plumb/schemas';

/** Kernel interface names have at most 15 characters (IFNAMSIZ); ours are two letters and 12 hex digits. */
const HASH_DIGITS = 12;
const KEY_DIGITS = 8;

/** What an interface's alias says. */
export interface Mark {
  kind: ResourceType;
  owner: string;
  id: string;
}

/** Tells the resources of this data folder and host from those of any other driver on the same machine. */
export function driverKey(dataDir: string, host: string): string {
  return hash(`${dataDir}\0${host}`).slice(0, KEY_DIGITS);
}

export class Names {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  bridge(id: string): string {
    return `pb${this.#digest('bridge', id)}`;
  }

  vxlan(bridgeId: string): string {
    return `px${this.#digest('vxlan', bridgeId)}`;
  }

  /** The end of a subnet's leg that is on the bridge. */
  leg(subnetId: string): string {
    return `pv${this.#digest('leg', subnetId)}`;
  }

  tap(portId: string): string {
    return `pt${this.#digest('port', portId)}`;
  }

  /** The network namespace of a subnet. */
  namespace(subnetId: string): string {
    return `plumb-${this.key}-${subnetId}`;
  }

  /** The subnet whose namespace bears this name; undefined for a name that is not ours. */
  subnetOf(namespace: string): string | undefined {
    const prefix = this.namespace('');
    return namespace.startsWith(prefix) ? namespace.slice(prefix.length) : undefined;
  }

  /** The table of packet filters, and that of the host's firewall for tunnels. */
  table(): string {
    return `plumb_${this.key}`;
  }

  /** Text of the alias of an interface that was made for this resource. */
  alias(mark: Mark): string {
    return ['plumb', this.key, mark.kind, mark.owner, mark.id].join(':');
  }

  /** Reads an alias; undefined for what this driver did not write. */
  readAlias(alias: string | undefined): Mark | undefined {
    const [program, key, kind, owner, ...id] = alias?.split(':') ?? [];
    if (program !== 'plumb' || key !== this.key || owner === undefined || id.length === 0) return undefined;
    return { kind: kind as ResourceType, owner, id: id.join(':') };
  }

  #digest(role: string, id: string): string {
    return hash(`${this.key}\0${role}\0${id}`).slice(0, HASH_DIGITS);
  }
}

/** Whether an interface of this name may be one of ours, of whatever driver. */
export function looksLikeOurs(interfaceName: string): boolean {
  return /^p[bxvt][0-9a-f]{12}$/.test(interfaceName);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
