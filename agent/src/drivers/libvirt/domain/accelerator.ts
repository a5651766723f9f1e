import { readFile } from 'node:fs/promises';
import { terminal } from '@plumb/schemas';
import { XMLParser } from 'fast-xml-parser';

export interface Machine {
  accelerator: 'kvm' | 'tcg';
  /** Path of QEMU. */
  emulator: string;
}

interface Guest {
  os_type: string;
  arch: { name: string; emulator: string; domain: { type: string }[] };
}

/**
 * What guests run on here. KVM only if libvirt offers it and the processor itself has virtualization: a /dev/kvm that
 * opens proves nothing, guests may spin in it for ever. Throws `HostUnsupported` (terminal) without a QEMU for x86_64.
 */
export function chooseMachine(capabilitiesXml: string, cpuInfo: string): Machine {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (_name, path) => path === 'capabilities.guest' || path === 'capabilities.guest.arch.domain',
  });
  const guests: Guest[] = parser.parse(capabilitiesXml).capabilities.guest ?? [];
  const guest = guests.find((one) => one.os_type === 'hvm' && one.arch.name === 'x86_64');
  if (guest === undefined)
    throw terminal('HostUnsupported', 'libvirt knows no QEMU for x86_64 on this host: install qemu-system-x86');
  const offered = guest.arch.domain.some((domain) => domain.type === 'kvm');
  const virtualization = /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuInfo);
  return { accelerator: offered && virtualization ? 'kvm' : 'tcg', emulator: guest.arch.emulator };
}

/** The processor's own description, from the kernel. */
export function readCpuInfo(): Promise<string> {
  return readFile('/proc/cpuinfo', 'utf8');
}
