/** The interfaces of a domain in libvirt's XML: declared, and found in what runs. */
import type { HostResource } from '@plumb/schemas';
import { XMLBuilder } from 'fast-xml-parser';
import type { XmlElement } from './xml-tree.ts';
import { childrenNamed, elementAt } from './xml-tree.ts';

/** So many interfaces a domain may have: each has a PCI root port of its own, since q35 plugs nothing into another. */
export const INTERFACE_SLOTS = 8;

/** A port of a domain with the tap that it is on this host. */
export interface Plug {
  port: HostResource<'domain'>['spec']['ports'][number];
  tap: string;
}

/** What of an interface tells it from others, and where on the PCI bus it sits. */
export interface PluggedInterface {
  macAddress: string;
  tap: string;
  bus: number | undefined;
  /** Somebody told libvirt that its cable is out. */
  unplugged?: true;
}

/** The PCI bus of the interface at this place in the declaration: the same when plugged live and at the next start. */
export function busOf(index: number): number {
  return index + 1;
}

/** The device at the root port that makes this bus. */
export function pciAddress(bus: number): object {
  const hex = bus.toString(16).padStart(2, '0');
  return { '@type': 'pci', '@domain': '0x0000', '@bus': `0x${hex}`, '@slot': '0x00', '@function': '0x0' };
}

/** An interface as the builder of XML takes it; where it sits is libvirt's choice when no bus is given. */
export function interfaceElement({ port, tap }: Plug, bus: number | undefined): object {
  return {
    '@type': 'ethernet',
    mac: { '@address': port.macAddress },
    target: { '@dev': tap, '@managed': 'no' },
    model: { '@type': 'virtio' },
    mtu: { '@size': String(port.mtuBytes) },
    ...(bus === undefined ? {} : { address: pciAddress(bus) }),
  };
}

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });

/** An interface alone, to be plugged in. */
export function interfaceXml(plug: Plug, bus: number | undefined): string {
  return builder.build({ interface: interfaceElement(plug, bus) });
}

/** Tells libvirt which interface to unplug: it finds it by its Ethernet address and its place. */
export function unplugXml({ macAddress, bus }: PluggedInterface): string {
  return builder.build({
    interface: {
      '@type': 'ethernet',
      mac: { '@address': macAddress },
      ...(bus === undefined ? {} : { address: pciAddress(bus) }),
    },
  });
}

/** The interfaces in the XML of a domain that runs. */
export function readInterfaces(domain: XmlElement): PluggedInterface[] {
  return childrenNamed(elementAt(domain, 'devices'), 'interface').map((found) => {
    const bus = elementAt(found, 'address')?.attributes.bus;
    return {
      macAddress: elementAt(found, 'mac')?.attributes.address?.toLowerCase() ?? '',
      tap: elementAt(found, 'target')?.attributes.dev ?? '',
      bus: bus === undefined ? undefined : Number(bus),
      ...(elementAt(found, 'link')?.attributes.state === 'down' ? { unplugged: true as const } : {}),
    };
  });
}

/** Whether the interface is the one that is declared: its Ethernet address and its tap say so, not what was noted. */
export function isPlug(found: PluggedInterface, { port, tap }: Plug): boolean {
  return found.macAddress === port.macAddress && found.tap === tap && !found.unplugged;
}

/** How the interfaces of a running domain are not as declared, as sentences: somebody was at them, or was interrupted. */
export function interfaceDrift({ spec }: HostResource<'domain'>, domain: XmlElement): string[] {
  return readInterfaces(domain).flatMap(({ macAddress, unplugged }) => {
    if (spec.ports.every((port) => port.macAddress !== macAddress))
      return [`it has an interface ${macAddress} that is not declared`];
    return unplugged ? [`the cable of its interface ${macAddress} was pulled on the host (virsh domif-setlink)`] : [];
  });
}
