import { readFile } from 'node:fs/promises';
import { terminal } from '@plumb/schemas';
import { childrenNamed, elementAt, parseXml } from './xml-tree.ts';

export interface Machine {
  accelerator: 'kvm' | 'tcg';
  /** Path of QEMU. */
  emulator: string;
}

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
  return { accelerator: offered && virtualization ? 'kvm' : 'tcg', emulator };
}

/** The processor's own description, from the kernel. */
export function readCpuInfo(): Promise<string> {
  return readFile('/proc/cpuinfo', 'utf8');
}
