import { instance, l2Network } from '@plumb/schemas';
import { terraformKind } from '@plumb/schemas/project/terraform.ts';
import { expect, test } from 'vitest';
import { checkConfig } from './check.ts';
import { type ObjectValue, UNKNOWN } from './value.ts';

const instances = terraformKind(instance);
const networks = terraformKind(l2Network);

const nic = { name: 'eth0', l3_network: 'lab', addresses: null, mac_address: null };
const web: ObjectValue = { name: 'web-0', zone: 'home', offering: 'small', image: 'tiny', interfaces: [nic] };
const lab: ObjectValue = { name: 'lab', zone: 'home', type: 'vxlan', vni: 100 };

const instanceErrors = (change: ObjectValue) => checkConfig(instances, { ...web, ...change }).map((d) => d.summary);
const networkErrors = (change: ObjectValue) => checkConfig(networks, { ...lab, ...change }).map((d) => d.summary);

test('what is right has no errors', () => {
  expect(instanceErrors({})).toEqual([]);
  expect(networkErrors({})).toEqual([]);
});

test('all that is wrong is said at once, each on its attribute', () => {
  const errors = instanceErrors({
    name: 'Web_0',
    power: 'On',
    labels: { 'a b': 'c' },
    interfaces: [{ ...nic, addresses: ['10.0.0.300'], mac_address: 'x' }],
    timeouts: { create: 'soon', update: null, delete: null },
  });
  expect(errors.sort()).toEqual([
    'Invalid interfaces[0].addresses[0]',
    'Invalid interfaces[0].mac_address',
    'Invalid labels',
    'Invalid name',
    'Invalid power',
    'Invalid timeouts.create',
  ]);
});

test('a sentence names the rule and the value', () => {
  const [error] = checkConfig(instances, { ...web, power: 'Runing' });
  expect(error?.detail).toBe('power must be one of Running, Stopped, but is "Runing": did you mean "Running"?');
  expect(error?.path).toEqual([{ attribute: 'power' }]);
});

test('a secret is not in the sentence', () => {
  const [error] = checkConfig(instances, { ...web, user_data: 'hush'.repeat(20_000) });
  expect(error?.summary).toBe('Invalid user_data');
  expect(error?.detail).not.toContain('hush');
});

test('what is unknown breaks no rule, and hides none beside it', () => {
  expect(instanceErrors({ name: UNKNOWN, zone: UNKNOWN, interfaces: UNKNOWN, labels: UNKNOWN })).toEqual([]);
  expect(
    instanceErrors({
      interfaces: [
        { ...nic, addresses: [UNKNOWN, 'x'] },
        { ...nic, name: UNKNOWN },
      ],
    }),
  ).toEqual(['Invalid interfaces[0].addresses[1]']);
  expect(instanceErrors({ interfaces: [UNKNOWN, UNKNOWN] })).toEqual([]);
  expect(networkErrors({ host_selector: { match_labels: { rack: UNKNOWN } }, mtu_bytes: 5 })).toEqual([
    'Invalid mtu_bytes',
  ]);
});

test('rules across fields wait until all is known', () => {
  expect(networkErrors({ vni: null })).toEqual(['Invalid vni']);
  expect(networkErrors({ vni: UNKNOWN })).toEqual([]);
  expect(networkErrors({ type: UNKNOWN, vni: null })).toEqual([]);
});

test('a null in a list or a map is an error, not an absence', () => {
  expect(instanceErrors({ ssh_keys: [null] })).toEqual(['Invalid ssh_keys']);
  expect(instanceErrors({ labels: { a: null } })).toEqual(['Invalid labels["a"]']);
});
