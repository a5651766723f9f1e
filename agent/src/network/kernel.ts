/** The kernel's interfaces and bridges as this driver reads and changes them. */
import type { HostResource } from '@plumb/schemas';
import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import type { BridgeView } from './bridge.ts';
import type { PortCommands } from './bridge-port.ts';
import { hostUses } from './host-uses.ts';
import type { FixedAddress, IpCommand, Link } from './ip.ts';
import { bridgeBatch, ipBatch, readFixedAddresses, readLinks, readPeers } from './ip.ts';
import type { Names } from './names.ts';

export class Kernel {
  readonly #run: Run;
  readonly #names: Names;
  readonly #tunnelAddress: string;
  readonly #looks = new Coalesced(() => readLinks(this.#run));

  /** `run` runs programs in the network namespace in which bridges and taps are. */
  constructor(run: Run, names: Names, tunnelAddress: string) {
    this.#run = run;
    this.#names = names;
    this.#tunnelAddress = tunnelAddress;
  }

  /** All interfaces by name, read now. */
  links(): Promise<Map<string, Link>> {
    return readLinks(this.#run);
  }

  /** The same for those who only look: several share one reading. */
  look(): Promise<Map<string, Link>> {
    return this.#looks.run();
  }

  /** The addresses that bridges were told, by the name of their port. */
  async fixed(): Promise<Map<string, FixedAddress[]>> {
    return Map.groupBy(await readFixedAddresses(this.#run), ({ dev }) => dev);
  }

  /** The addresses that its bridge was told to find at this port. */
  async fixedAt(link: Link | undefined): Promise<FixedAddress[]> {
    return link?.master === undefined ? [] : readFixedAddresses(this.#run, link.name);
  }

  async apply({ ip, fdb, after = [] }: Omit<PortCommands, 'after'> & Partial<PortCommands>): Promise<void> {
    await ipBatch(this.#run, ip);
    await bridgeBatch(this.#run, fdb);
    await ipBatch(this.#run, after);
  }

  /** Removes an interface if it is there and ours. */
  async remove(name: string): Promise<void> {
    const links = await this.links();
    await ipBatch(this.#run, this.#isOurs(links.get(name)) ? [['link', 'del', name]] : []);
  }

  /** Removes these interfaces of a bridge, and lets its physical interface go. */
  async removeBridge(name: string, removal: (links: Map<string, Link>) => IpCommand[], physical?: string) {
    const links = await this.links();
    const held = physical !== undefined && links.get(physical)?.master === name;
    const release: IpCommand[] = held ? [['link', 'set', 'dev', physical, 'nomaster']] : [];
    await ipBatch(this.#run, [...release, ...removal(links)]);
  }

  async bridgeView({ id, spec }: HostResource<'bridge'>, links: Map<string, Link>): Promise<BridgeView> {
    const vxlan = this.#names.vxlan(id);
    const physical = spec.type === 'flat' ? links.get(spec.physicalInterface ?? '') : undefined;
    return {
      links,
      peers: links.has(vxlan) ? await readPeers(this.#run, vxlan) : [],
      hostUses: physical === undefined ? [] : await hostUses(this.#run, physical.name),
      tunnelAddress: this.#tunnelAddress,
    };
  }

  #isOurs(link: Link | undefined): boolean {
    return this.#names.readAlias(link?.alias) !== undefined;
  }
}
