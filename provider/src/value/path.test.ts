import { instance, l2Network, l3Network } from '@plumb/schemas';
import { terraformKind } from '@plumb/schemas/project/terraform.ts';
import { expect, test } from 'vitest';
import { attributePath, showPath } from './path.ts';

const kinds = {
  Instance: terraformKind(instance),
  L2Network: terraformKind(l2Network),
  L3Network: terraformKind(l3Network),
};

test.each<[keyof typeof kinds, string, string, string]>([
  ['Instance', 'spec.interfaces[0].l3Network', 'interfaces[0].l3_network', ''],
  ['Instance', 'spec.interfaces[1].addresses[2]', 'interfaces[1].addresses[2]', ''],
  ['Instance', 'spec.interfaces', 'interfaces', ''],
  ['Instance', 'spec.rootDiskMiB', 'root_disk_mib', ''],
  ['Instance', 'metadata.name', 'name', ''],
  ['Instance', 'metadata.namespace', 'project', ''],
  ['Instance', 'metadata.labels[plumb.dev/tier]', 'labels["plumb.dev/tier"]', ''],
  ['Instance', 'metadata.labels.tier', 'labels["tier"]', ''],
  ['L2Network', 'spec.hostSelector.matchLabels.rack', 'host_selector.match_labels["rack"]', ''],
  ['L3Network', 'spec.ipv4.gateway', 'ipv4.gateway', ''],
  ['L3Network', 'spec.gateway', 'gateway', ''],
  ['L3Network', 'spec.ipv4.ranges[0].start', 'ipv4.ranges[0].start', ''],
  ['L3Network', 'spec.ipv6.cidr', '', 'ipv6.cidr'],
  ['L3Network', 'spec.gateway.deeper', 'gateway', 'deeper'],
  ['L3Network', 'status.dhcpAddress', '', 'status.dhcpAddress'],
  ['L3Network', 'spec', '', ''],
])('%s: %s is %s', (kind, field, shown, rest) => {
  const path = attributePath(field, kinds[kind]);
  expect([showPath(path.steps), path.rest]).toEqual([shown, rest]);
});
