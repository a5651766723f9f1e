import { readFile } from 'node:fs/promises';
import { terminal } from '@plumb/schemas';
import type { XmlElement } from './xml-tree.ts';
import { childrenNamed, elementAt, parseXml } from './xml-tree.ts';

export interface Machine {
  accelerator: 'kvm' | 'tcg';
  /** Path of QEMU. */
  emulator: string;
  /** The newest version of the machine q35 that this QEMU has. */
  newest: string;
  /** All versions of machines that it has. */
  versions: ReadonlySet<string>;
}

/** What guests see, by the name that stands for the newest version of it. */
const MACHINE = 'q35';

/**
 * What guests run on here. KVM only if libvirt offers it and the processor itself has virtualization: a /dev/kvm that
 * opens proves nothing, guests may spin in it for ever. Throws `HostUnsupported` (terminal) without a QEMU for x86_64.
 */
export function chooseMachine(capabilitiesXml: string, cpuInfo: string): Machine {
  const capabilities = parseXml(capabilitiesXml);
  const arch = childrenNamed(capabilities, 'guest')
    .filter((guest) => elementAt(guest, 'os_type')?.text === 'hvm')
    .flatMap((guest) => childrenNamed(guest, 'arch'))
    .find(({ attributes }) => attributes.name === 'x86_64');
  const emulator = elementAt(arch, 'emulator')?.text;
  if (arch === undefined || emulator === undefined)
    throw terminal('HostUnsupported', 'libvirt knows no QEMU for x86_64 on this host: install qemu-system-x86');
  const offered = childrenNamed(arch, 'domain').some(({ attributes }) => attributes.type === 'kvm');
  const virtualization = /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuInfo);
  return { accelerator: offered && virtualization ? 'kvm' : 'tcg', emulator, ...machinesOf(arch) };
}

/** The name q35 is another machine after each upgrade of QEMU: a guest is given the one that it stands for today. */
function machinesOf(arch: XmlElement): Pick<Machine, 'newest' | 'versions'> {
  const machines = childrenNamed(arch, 'machine');
  const newest = machines.find(({ text }) => text === MACHINE)?.attributes.canonical ?? MACHINE;
  return { newest, versions: new Set(machines.map(({ text }) => text)) };
}

/** The version that the guest had, as long as this QEMU has it. */
export function keptMachine({ newest, versions }: Machine, kept: string | undefined): string {
  return kept !== undefined && versions.has(kept) ? kept : newest;
}

/** The processor's own description, from the kernel. */
export function readCpuInfo(): Promise<string> {
  return readFile('/proc/cpuinfo', 'utf8');
}
