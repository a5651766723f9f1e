import { expect, test } from 'vitest';
import { kindOfType } from '../resources.ts';
import { inHcl } from './words.ts';

test.each([
  ['set spec.allowDataLoss to true, or return', 'set allow_data_loss to true, or return'],
  [
    'spec.interfaces[0].l3Network: there is no L3Network lab yet',
    'interfaces[0].l3_network: there is no L3Network lab yet',
  ],
  ['of its hosts 2 do not match spec.hostSelector', 'of its hosts 2 do not match host_selector'],
  ['the hostSelector of L2Network lab', 'the host_selector of L2Network lab'],
  ['macAddress 02:00 is declared twice', 'mac_address 02:00 is declared twice'],
  ['namespaces "team-a" not found', 'project "team-a" not found'],
  ['with 2 CPUs and 512 MiB on Instance default/webServer', 'with 2 CPUs and 512 MiB on Instance default/webServer'],
  ['spec.nothingOfOurs stays', 'spec.nothingOfOurs stays'],
])('%s', (said, shown) => expect(inHcl(said, kindOfType('plumb_instance'))).toBe(shown));
