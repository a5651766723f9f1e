/** Two networks: one with three guests, a gateway and an outside, and one with a stranger, who has a neighbour's addresses. */
import type { HostResource } from '@plumb/schemas';

const uid = (prefix: string, number: number) => `${prefix}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

export function resources(uplink: string) {
  const lab: HostResource<'bridge'> = {
    kind: 'bridge',
    id: uid('00000012', 1),
    owner: uid('00000012', 1),
    spec: { name: 'lab', type: 'flat', physicalInterface: uplink, mtuBytes: 1500, peers: [] },
  };
  const other: HostResource<'bridge'> = {
    kind: 'bridge',
    id: uid('00000012', 2),
    owner: uid('00000012', 2),
    spec: { name: 'other', type: 'vxlan', vni: 100, mtuBytes: 1450, peers: [] },
  };
  const subnet = ({ id, spec }: HostResource<'bridge'>, number: number): HostResource<'subnet'> => ({
    kind: 'subnet',
    id: uid('00000013', number),
    owner: uid('00000013', number),
    spec: {
      name: `default/${spec.name}`,
      bridge: id,
      cidr: '10.20.0.0/24',
      gateway: '10.20.0.1',
      serverAddress: '10.20.0.1',
      serverMac: '52:54:00:0a:00:01',
      mtuBytes: spec.mtuBytes,
      domain: 'lab.internal',
      dnsServers: [],
    },
  });
  const labNet = subnet(lab, 1);
  const otherNet = subnet(other, 2);
  const port = (
    number: number,
    { id, spec }: HostResource<'subnet'>,
    hostname: string,
    as = number,
  ): HostResource<'port'> => ({
    kind: 'port',
    id: `${uid('1a57a9ce', number)}.eth0`,
    owner: uid('1a57a9ce', number),
    spec: {
      bridge: spec.bridge,
      subnet: id,
      macAddress: `52:54:00:0a:00:${as.toString(16).padStart(2, '0')}`,
      addresses: [`10.20.0.${as}`],
      hostname,
      mtuBytes: spec.mtuBytes,
    },
  });
  return {
    bridges: [lab, other] as const,
    subnets: [labNet, otherNet] as const,
    ports: {
      guest: port(11, labNet, 'guest'),
      neighbour: port(12, labNet, 'neighbour'),
      bystander: port(13, labNet, 'bystander'),
      stranger: port(14, otherNet, 'stranger', 12),
    },
  };
}
