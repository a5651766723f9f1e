import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Context } from '../controller.ts';
import type { Found } from '../first-look.ts';
import { peersOf, tunnelEndpoints } from './peers.ts';

const HOSTS = ['a', 'b', 'c', 'd', 'e'];
const aHost = fc.constantFrom(...HOSTS);

test('peers are the addresses of the other hosts of the network, whoever joined, left or came back elsewhere', () => {
  const anAction = fc.oneof(
    { weight: 3, arbitrary: aHost.map((join) => ({ join })) },
    { weight: 2, arbitrary: aHost.map((leave) => ({ leave })) },
    // A host may have no address, or another than before.
    { weight: 1, arbitrary: fc.record({ connect: aHost, address: fc.constantFrom('192.0.2.1', '192.0.2.2', '') }) },
    { weight: 1, arbitrary: fc.constant({ leaveAll: true }) },
  );
  fc.assert(
    fc.property(fc.array(anAction, { maxLength: 40 }), (actions) => {
      const addresses = new Map<string, string>();
      const listeners: ((host: string) => void)[] = [];
      const on = new Map([
        ['one', new Set<string>()],
        ['two', new Set<string>()],
      ]);
      const context = {
        endpoints: {
          addressOf: (host: string) => addresses.get(host) ?? '',
          onChange: (listener: (host: string) => void) => listeners.push(listener),
        },
        cache: { poisoned: { objects: 0 } },
        read: {
          get: () => undefined,
          referrers: () => ['one', 'two'].map((uid) => ({ object: { metadata: { uid } } })),
        },
        holdings: { hostsOfNetwork: (uid: string) => on.get(uid)! },
        own: () => known,
      } as unknown as Context;
      const known = tunnelEndpoints.begin(context, {} as Found);
      for (const [n, action] of actions.entries()) {
        const network = on.get(n % 3 === 0 ? 'one' : 'two')!;
        if ('join' in action) network.add(action.join);
        else if ('leave' in action) network.delete(action.leave);
        else if ('connect' in action) {
          addresses.set(action.connect, action.address);
          for (const listener of listeners) listener(action.connect);
        } else network.clear();
        const address = (host: string) => addresses.get(host) ?? '';
        const hosts = [...new Set([...on.get('one')!, ...on.get('two')!])];
        for (const host of HOSTS) {
          const others = new Set(hosts.map(address).filter((a) => a !== '' && a !== address(host)));
          expect(peersOf(context, 'l2', host)).toEqual([...others].sort());
        }
      }
    }),
    { numRuns: 300 },
  );
});
