import { type HostResource, processorRoom } from '@plumb/schemas';
import { XMLBuilder } from 'fast-xml-parser';
import type { Plug } from './interfaces.ts';
import { busOf, INTERFACE_SLOTS, interfaceElement, pciAddress } from './interfaces.ts';
import { LAYOUT, METADATA_ELEMENT, METADATA_NAMESPACE, metadataText } from './metadata.ts';

/** What a domain's definition needs to know besides the resource: the machine, and where its parts lie on this host. */
export interface DomainSurroundings {
  /** Tells the domains of this driver from those of another one on the same machine. */
  key: string;
  accelerator: 'kvm' | 'tcg';
  /** Path of QEMU. */
  emulator: string;
  /** The version of the machine that the guest sees: it keeps that of its first start, whatever QEMU is newer by then. */
  machine: string;
  /** Which form the definition has: that of today, if absent. What an earlier version made is compared in its own. */
  layout?: number;
  /** Identity of the seed's content. */
  seedContent?: string;
  /** In the order of the resource's disks: an overlay and the base image that it is a clone of. */
  disks: { path: string; base: { path: string; format: 'qcow2' | 'raw' } }[];
  seedPath?: string;
  /** Names of the taps, in the order of the resource's ports. */
  taps: string[];
  consoleLog: string;
}

/** What is known of them before it is decided which version of the machine the guest has. */
export type DomainParts = Omit<DomainSurroundings, 'machine' | 'layout'>;

/** QEMU's cache of translated code. The default takes a quarter of the guest's memory on top of it. */
const TRANSLATION_CACHE_MIB = 32;

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
  format: true,
});

/**
 * The domain as libvirt's XML (libvirt.org/formatdomain.html). Pure: equal input gives equal text. Values are escaped by
 * the builder and by nothing else.
 */
export function domainXml(resource: HostResource<'domain'>, at: DomainSurroundings): string {
  const { spec } = resource;
  const layout = at.layout ?? LAYOUT;
  return builder.build({
    domain: {
      '@type': at.accelerator === 'kvm' ? 'kvm' : 'qemu',
      name: spec.name,
      uuid: resource.id,
      metadata: {
        [METADATA_ELEMENT]: {
          '@xmlns:plumb': METADATA_NAMESPACE,
          '@key': at.key,
          ...(layout > 1 ? { '@layout': String(layout), '@machine': at.machine } : {}),
          ...(layout > 1 && at.seedContent !== undefined ? { '@seed': at.seedContent } : {}),
          '#': metadataText(resource),
        },
      },
      memory: { '@unit': 'MiB', '#': String(spec.memoryMiB) },
      vcpu: processors(spec.cpus, at.accelerator),
      os: { type: { '@arch': 'x86_64', '@machine': at.machine, '#': 'hvm' }, boot: { '@dev': 'hd' } },
      features: {
        acpi: {},
        apic: {},
        ...(at.accelerator === 'tcg'
          ? { tcg: { 'tb-cache': { '@unit': 'MiB', '#': String(TRANSLATION_CACHE_MIB) } } }
          : {}),
      },
      cpu: { '@mode': at.accelerator === 'kvm' ? 'host-passthrough' : 'maximum' },
      clock: { '@offset': 'utc' },
      // What the guest or a fault ended stays ended, so that its state tells why; starting it again is decided elsewhere.
      on_poweroff: 'destroy',
      on_reboot: 'restart',
      on_crash: 'destroy',
      devices: devices(resource, at),
    },
  });
}

/**
 * Those that it is started with, and how many it can have while it runs. With emulated processors none come later: QEMU
 * dies of it when its cache of translated code is full (docs/decisions/0010).
 */
function processors(cpus: number, accelerator: DomainSurroundings['accelerator']): object | string {
  const room = accelerator === 'kvm' ? processorRoom(cpus) : cpus;
  return room > cpus ? { '@current': String(cpus), '#': String(room) } : String(cpus);
}

/**
 * Every device sits at a PCI root port of its own, at an address that is declared: one that is plugged in while the guest
 * runs finds its place free, has it again after the next start, and moves no other.
 */
function devices({ spec }: HostResource<'domain'>, at: DomainSurroundings): object {
  const layout = at.layout ?? LAYOUT;
  const slots = Math.max(INTERFACE_SLOTS, spec.ports.length);
  let bus = slots;
  const nextAddress = () => {
    bus += 1;
    return pciAddress(bus);
  };
  const fixed = {
    disk: [
      ...at.disks.map((disk, index) => rootDisk(disk, index, layout)),
      ...(at.seedPath === undefined ? [] : [seedDisk(at.seedPath, layout)]),
    ].map((disk) => ({
      ...disk,
      address: nextAddress(),
    })),
    rng: { '@model': 'virtio', backend: { '@model': 'random', '#': '/dev/urandom' }, address: nextAddress() },
    memballoon: { '@model': 'virtio', address: nextAddress() },
  };
  return {
    emulator: at.emulator,
    disk: fixed.disk,
    controller: [
      { '@type': 'usb', '@model': 'none' },
      { '@type': 'pci', '@index': '0', '@model': 'pcie-root' },
      ...Array.from({ length: bus }, (_, index) => rootPort(index + 1)),
    ],
    interface: interfacesOf(spec, at.taps).map((plug, index) => interfaceElement(plug, busOf(index))),
    serial: {
      '@type': 'pty',
      log: { '@file': at.consoleLog, '@append': 'on' },
      target: { '@type': 'isa-serial', '@port': '0' },
    },
    console: { '@type': 'pty', target: { '@type': 'serial', '@port': '0' } },
    rng: fixed.rng,
    memballoon: fixed.memballoon,
    // By it a guest says that its kernel gave up. It takes no place on the PCI bus.
    ...(layout > 1 ? { panic: { '@model': 'isa' } } : {}),
  };
}

/** The ports of a domain with their taps. */
export function interfacesOf(spec: HostResource<'domain'>['spec'], taps: readonly string[]): Plug[] {
  return spec.ports.map((port, index) => ({ port, tap: taps[index] as string }));
}

/** What libvirt calls the disk at this place in the declaration. */
export function diskTarget(index: number): string {
  return `vd${String.fromCharCode(97 + index)}`;
}

export const SEED_TARGET = 'vdz';

function rootPort(bus: number): object {
  return { '@type': 'pci', '@index': String(bus), '@model': 'pcie-root-port' };
}

/**
 * The file is QEMU's user's as far as it is to be. libvirt would give it the whole chain for its own, and with it the right
 * to write the base image that it shares with other guests.
 */
function file(path: string, layout: number): object {
  return { '@file': path, ...(layout > 1 ? { seclabel: { '@model': 'dac', '@relabel': 'no' } } : {}) };
}

/** The whole chain is declared: QEMU and libvirt never guess a format from what a guest may have written. */
function rootDisk(disk: DomainSurroundings['disks'][number], index: number, layout: number): object {
  return {
    '@type': 'file',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': 'qcow2', '@discard': 'unmap' },
    source: file(disk.path, layout),
    backingStore: {
      '@type': 'file',
      format: { '@type': disk.base.format },
      source: file(disk.base.path, layout),
      backingStore: {},
    },
    target: { '@dev': diskTarget(index), '@bus': 'virtio' },
  };
}

/**
 * A disk, not a CD-ROM: cloud-init takes its seed from either, and the kernels of cloud images have no driver for the
 * controllers that CD-ROMs are on.
 */
function seedDisk(path: string, layout: number): object {
  return {
    '@type': 'file',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': 'raw' },
    source: file(path, layout),
    target: { '@dev': SEED_TARGET, '@bus': 'virtio' },
    readonly: {},
  };
}
