import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointOf } from './tunnel-endpoint.ts';

const endpoint = (more: Partial<Parameters<typeof endpointOf>[0]>) =>
  endpointOf({ declared: undefined, kept: undefined, facts: undefined, isOwn: (a) => a === '192.0.2.9', ...more });
const heard = (streamAddress: string, tunnelAddress = '') => ({ facts: { streamAddress, tunnelAddress } });

test.each([
  ['what is declared counts', { declared: '192.0.2.1', ...heard('192.0.2.2', '192.0.2.1') }, '192.0.2.1', undefined],
  [
    'whatever the agent says',
    { declared: '192.0.2.1', ...heard('192.0.2.2', '10.0.0.1') },
    '192.0.2.1',
    'AddressDiffers',
  ],
  ['else where its stream comes from', heard('192.0.2.2', '192.0.2.2'), '192.0.2.2', undefined],
  ['whatever the agent says', heard('192.0.2.2', '198.51.100.9'), '192.0.2.2', 'AddressDiffers'],
  ['whatever the agent says', heard('192.0.2.2', '198.18.0.1'), '192.0.2.2', 'AddressDiffers'],
  ['whatever the agent says', heard('192.0.2.2', 'no.such.address;$(id)'), '192.0.2.2', 'AddressDiffers'],
  ['an agent that says nothing of it', heard('192.0.2.2'), '192.0.2.2', undefined],
  ['multicast is no endpoint', { declared: '239.1.1.1' }, '', 'AddressRefused'],
  ['nor broadcast', { declared: '255.255.255.255' }, '', 'AddressRefused'],
  ['nor a loopback address', { declared: '127.0.0.1' }, '', 'AddressRefused'],
  ['nor no address', { declared: '0.0.0.0' }, '', 'AddressRefused'],
  ['nor one of IPv6', heard('2001:db8::1', '192.0.2.2'), '', 'AddressRefused'],
  ['nor an unknown one', heard('', '192.0.2.2'), '', 'AddressRefused'],
  ['on this machine: an address that it has', heard('127.0.0.1', '192.0.2.9'), '192.0.2.9', undefined],
  ['on this machine: one that it has not', heard('127.0.0.1', '198.51.100.9'), '', 'AddressRefused'],
  ['on this machine: no address', heard('::1', '$(id)'), '', 'AddressRefused'],
  ['on this machine: a simulated host', heard('127.0.0.1', '198.19.0.1'), '198.19.0.1', undefined],
  ['on this machine: nothing', heard('::1', '127.0.0.1'), '', undefined],
  ['before its agent has come, as it was', { kept: '192.0.2.7' }, '192.0.2.7', undefined],
  ['before its agent has come, if it was any', { kept: 'x' }, '', undefined],
])('%s: %j', (_, given, address, reason) => {
  const found = endpoint(given);
  expect(found.address).toBe(address);
  expect(found.problem?.reason).toBe(reason);
});

test('whatever an agent says, its stream says where it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (claim) => {
      expect(endpoint(heard('192.0.2.2', claim)).address).toBe('192.0.2.2');
    }),
    { numRuns: 100 },
  );
});
