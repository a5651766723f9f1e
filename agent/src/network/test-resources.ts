/** Resources of two networks for the tests of this folder. */
import type { HostResource } from '@plumb/schemas';

export const bridge: HostResource<'bridge'> = {
  kind: 'bridge',
  id: 'b0000000-0000-4000-8000-000000000001',
  owner: 'b0000000-0000-4000-8000-000000000001',
  spec: { name: 'lab', type: 'vxlan', vni: 100, mtuBytes: 1450, peers: ['192.0.2.2', '192.0.2.3'] },
};

export const flat: HostResource<'bridge'> = {
  kind: 'bridge',
  id: 'b0000000-0000-4000-8000-000000000002',
  owner: 'b0000000-0000-4000-8000-000000000002',
  spec: { name: 'office', type: 'flat', physicalInterface: 'eth1', mtuBytes: 1500, peers: [] },
};

export const subnet: HostResource<'subnet'> = {
  kind: 'subnet',
  id: '50000000-0000-4000-8000-000000000001',
  owner: '50000000-0000-4000-8000-000000000001',
  spec: {
    name: 'default/lab',
    bridge: bridge.id,
    cidr: '10.20.0.0/24',
    gateway: '10.20.0.1',
    serverAddress: '10.20.0.1',
    serverMac: '52:54:00:00:00:01',
    mtuBytes: 1450,
    domain: 'lab.internal',
    dnsServers: [],
  },
};

export const officeSubnet: HostResource<'subnet'> = {
  kind: 'subnet',
  id: '50000000-0000-4000-8000-000000000002',
  owner: '50000000-0000-4000-8000-000000000002',
  spec: {
    name: 'default/office',
    bridge: flat.id,
    cidr: '10.30.0.0/22',
    serverAddress: '10.30.0.2',
    serverMac: '52:54:00:00:00:02',
    mtuBytes: 1500,
    dnsServers: ['10.30.0.53', '10.30.1.53'],
  },
};

export const port: HostResource<'port'> = {
  kind: 'port',
  id: '10000000-0000-4000-8000-000000000001.eth0',
  owner: '10000000-0000-4000-8000-000000000001',
  spec: {
    bridge: bridge.id,
    subnet: subnet.id,
    macAddress: '52:54:00:00:00:11',
    addresses: ['10.20.0.11', '10.20.0.12'],
    hostname: 'web-0',
    mtuBytes: 1450,
  },
};

export const officePort: HostResource<'port'> = {
  kind: 'port',
  id: '10000000-0000-4000-8000-000000000001.eth1',
  owner: '10000000-0000-4000-8000-000000000001',
  spec: {
    bridge: flat.id,
    subnet: officeSubnet.id,
    macAddress: '52:54:00:00:00:12',
    addresses: ['10.30.0.11'],
    hostname: 'web-0',
    mtuBytes: 1500,
  },
};
