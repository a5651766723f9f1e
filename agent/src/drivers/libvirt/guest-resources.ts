/** The resources of one instance on a network of its own, for tests with guests that really boot. */
import type { HostResource } from '@plumb/schemas';

export interface GuestOptions {
  /** Tells ids and Ethernet addresses of one guest from another's; 1 to 250. */
  number: number;
  image: { path: string; sha256: string };
  bridge: HostResource<'bridge'>['spec'];
}

/** The guest's address, in every network the same. */
export const GUEST_ADDRESS = '10.213.1.11';
export const SERVER_ADDRESS = '10.213.1.1';
/** A second L3 network on the same bridge. */
export const SECOND_ADDRESS = '10.214.1.11';

/** Gives a shell to whoever connects to this TCP port: tests ask the guest itself to misbehave. */
export const SHELL_PORT = 8;
const USER_DATA = `#!/bin/sh\nexec nc -ll -p ${SHELL_PORT} -e /bin/sh\n`;

export type GuestResources = ReturnType<typeof guestResources>;

export function guestResources({ number, image, bridge: bridgeSpec }: GuestOptions) {
  const uid = (prefix: string) => `${prefix}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  const mac = (last: string) => `52:54:00:01:${number.toString(16).padStart(2, '0')}:${last}`;
  const instance = uid('1a57a9ce');
  const bridge: HostResource<'bridge'> = {
    kind: 'bridge',
    id: uid('00000012'),
    owner: uid('00000012'),
    spec: bridgeSpec,
  };
  const subnet = (prefix: string, net: string, last: string): HostResource<'subnet'> => ({
    kind: 'subnet',
    id: uid(prefix),
    owner: uid(prefix),
    spec: {
      name: `default/${net}`,
      bridge: bridge.id,
      cidr: `${net}.0/24`,
      gateway: `${net}.1`,
      serverAddress: `${net}.1`,
      serverMac: mac(last),
      mtuBytes: bridgeSpec.mtuBytes,
      domain: 'lab.internal',
      dnsServers: [],
    },
  });
  const port = (name: string, subnetId: string, address: string, last: string): HostResource<'port'> => ({
    kind: 'port',
    id: `${instance}.${name}`,
    owner: instance,
    spec: {
      bridge: bridge.id,
      subnet: subnetId,
      macAddress: mac(last),
      addresses: [address],
      hostname: `web-${number}`,
      mtuBytes: bridgeSpec.mtuBytes,
    },
  });
  const first = subnet('00000013', '10.213.1', '01');
  const second = subnet('00000014', '10.214.1', '02');
  const ports = [port('eth0', first.id, GUEST_ADDRESS, '11'), port('eth1', second.id, SECOND_ADDRESS, '12')];
  const imageResource: HostResource<'image'> = {
    kind: 'image',
    id: image.sha256,
    owner: '00000015-0000-4000-8000-000000000000',
    spec: { url: `file://${image.path}`, sha256: image.sha256, format: 'qcow2', maxBytes: 1024 ** 3 },
  };
  const disk: HostResource<'disk'> = {
    kind: 'disk',
    id: `${instance}.root`,
    owner: instance,
    spec: { image: image.sha256, imageFormat: 'qcow2' },
  };
  const seed: HostResource<'seed'> = {
    kind: 'seed',
    id: `${instance}.seed`,
    owner: instance,
    spec: {
      instanceId: instance,
      hostname: `web-${number}`,
      sshKeys: [],
      userData: USER_DATA,
      interfaces: ports.map(({ id, spec }) => ({ name: id.split('.')[1]!, macAddress: spec.macAddress })),
    },
  };
  const domain: HostResource<'domain'> = {
    kind: 'domain',
    id: instance,
    owner: instance,
    spec: {
      name: `default.web-${number}`,
      cpus: 1,
      memoryMiB: 112,
      disks: [disk.id],
      seed: seed.id,
      ports: ports.map(({ id, spec }) => ({ id, macAddress: spec.macAddress, mtuBytes: spec.mtuBytes })),
      power: 'Running',
    },
  };
  const all: HostResource[] = [imageResource, bridge, first, second, disk, seed, ...ports, domain];
  return {
    image: imageResource,
    bridge,
    first,
    second,
    ports: ports as [HostResource<'port'>, HostResource<'port'>],
    disk,
    seed,
    domain,
    all,
  };
}
