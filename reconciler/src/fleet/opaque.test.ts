/** What lives on hosts of types that this server does not know: a newer agent's, or those of a plug-in that is gone. */
import type { AgentMessage, WireLiveResource } from '@plumb/schemas/wire/messages.ts';
import { expect, test } from 'vitest';
import { settle } from '../runtime/fake-clock.ts';
import { fleetFor } from './testing/fleet-rig.ts';

const UID = '01a22d64-8ce8-7c2f-9074-ac788657378a';
const volume = { kind: 'volume', id: `${UID}.data`, owner: UID };
const wire = (resource: object): WireLiveResource => ({
  resource: { ...{ kind: 'volume', id: volume.id, owner: UID, spec: '{"sizeGiB":5}' }, ...resource },
  drift: [],
  domain: null,
});
const bridge = wire({
  ...{ kind: 'bridge', id: 'b1', owner: 'b1' },
  spec: JSON.stringify({ name: 'lab', type: 'flat', mtuBytes: 1500, peers: [] }),
});
const snapshot = (more: boolean, ...resources: WireLiveResource[]): AgentMessage => ({
  ...{ host: 'a', body: 'snapshot', snapshot: { resources, more } },
});

test('are kept by their identity, beside what is known, until the host says that they are gone', async () => {
  const { fleet, connect } = await fleetFor(['a']);
  const call = connect('a');
  call.attach('a');
  await settle();
  call.say(
    snapshot(true, wire({}), bridge),
    snapshot(false, wire({ kind: 'router', id: 'r', owner: 'r', spec: 'no JSON' })),
  );
  await settle();
  const { opaque, resources } = fleet.host('a')!;
  expect([...opaque.values()]).toEqual([volume, { kind: 'router', id: 'r', owner: 'r' }]);
  expect([...resources.keys()]).toEqual(['bridge/b1']);
  call.say({
    host: 'a',
    body: 'changes',
    changes: { changed: [wire({ id: 'x' })], removed: [{ kind: 'volume', id: volume.id }] },
  });
  await settle();
  expect([...fleet.host('a')!.opaque.keys()]).toEqual(['router/r', 'volume/x']);
  expect([...fleet.ownedBy(UID)]).toEqual([]);
  fleet.close();
});

test.each([
  ['a type that is no name', { kind: '../up' }],
  ['a type of another language', { kind: 'Диск' }],
  ['an id that is none', { id: 'a/b' }],
  ['an owner that is none', { owner: '' }],
])('%s is left out', async (_, wrong) => {
  const { fleet, connect } = await fleetFor(['a']);
  const call = connect('a');
  call.attach('a');
  await settle();
  call.say(snapshot(false, wire(wrong), bridge));
  await settle();
  expect(fleet.host('a')!.opaque.size).toBe(0);
  expect([...fleet.host('a')!.resources.keys()]).toEqual(['bridge/b1']);
  fleet.close();
});
