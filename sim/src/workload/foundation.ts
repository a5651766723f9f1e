/** What nearly every run begins with, so that something can happen. */
import type { Action, Ask } from './actions.ts';

export function imageSpec(letter: string): Record<string, unknown> {
  return { url: `https://images.test/${letter}`, sha256: letter.repeat(64), format: 'raw' };
}

export function l3Spec(l2Network: string, cidr: string): Record<string, unknown> {
  return { l2Network, ipv4: { cidr, gateway: cidr.replace(/\d+\/\d+$/, '1') } };
}

export const foundation: readonly (Ask & Action)[] = [
  { do: 'create', kind: 'Zone', name: 'home', spec: {} },
  { do: 'create', kind: 'InstanceOffering', name: 'small', spec: { cpus: 1, memoryMiB: 256 } },
  { do: 'create', kind: 'InstanceOffering', name: 'big', spec: { cpus: 2, memoryMiB: 3000 } },
  { do: 'create', kind: 'Image', name: 'tiny', spec: imageSpec('a') },
  { do: 'create', kind: 'L2Network', name: 'lab', spec: { zone: 'home', type: 'vxlan', vni: 100 } },
  { do: 'create', kind: 'L2Network', name: 'flat', spec: { zone: 'home', type: 'flat', physicalInterface: 'eth0' } },
  { do: 'create', kind: 'L3Network', name: 'lab', spec: l3Spec('lab', '10.20.0.0/24') },
  { do: 'create', kind: 'L3Network', name: 'tight', spec: l3Spec('lab', '10.30.0.0/29') },
  { do: 'create', kind: 'L3Network', name: 'plain', spec: l3Spec('flat', '10.40.0.0/24') },
];
