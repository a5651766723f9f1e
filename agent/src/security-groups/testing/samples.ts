/** A security group that selects a port, for the conformance suite of drivers. */
import type { HostResource } from '@plumb/schemas';
import type { OwnSamples } from '../../drivers/conformance-fixture.ts';

export function samples(port: HostResource<'port'>, uid: string): OwnSamples {
  const group: HostResource<'address-group'> = {
    ...{ kind: 'address-group', id: uid, owner: uid },
    spec: { name: 'default/web', addresses: port.spec.addresses },
  };
  const ruleset: HostResource<'ruleset'> = {
    ...{ kind: 'ruleset', id: uid, owner: uid },
    spec: { name: 'default/web', ingress: [{ protocol: 'TCP', port: 22 }, { groups: [group.id] }] },
  };
  const second = { ...ruleset, id: `${uid}-2` };
  const filter: HostResource<'port-filter'> = {
    ...{ kind: 'port-filter', id: port.id, owner: port.owner },
    spec: { port: port.id, rulesets: [ruleset.id] },
  };
  return {
    all: [group, ruleset, second, filter],
    changes: [
      { ...group, spec: { ...group.spec, addresses: [] } },
      { ...ruleset, spec: { ...ruleset.spec, egress: [{ protocol: 'ICMP', icmpType: 8, cidrs: ['10.0.0.0/8'] }] } },
      { ...filter, spec: { ...filter.spec, rulesets: [ruleset.id, second.id] } },
    ],
  };
}
