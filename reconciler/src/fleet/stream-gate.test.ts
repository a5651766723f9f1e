import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { expect, test } from 'vitest';
import { settle } from '../runtime/fake-clock.ts';
import { STATUS } from './grpc/call-failure.ts';
import { fleetFor } from './testing/fleet-rig.ts';

const nothing = (host: string): AgentMessage => ({ host, body: 'snapshot', snapshot: { resources: [], more: false } });

test('a credential in the metadata opens the stream; each further host attaches with its own', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b', 'c']);
  const call = connect('a');
  await settle();
  expect(call.shown).toEqual(['a']);
  call.attach('a');
  call.attach('b');
  call.attach('c', 'not its own');
  await settle();
  const heard = call.heard.map(({ host, body }) => `${host} ${body}`);
  expect(heard.sort()).toEqual(['a attached', 'b attached', 'c refused']);
  fleet.close();
});

test.each([
  ['of another host', 'a', 'b'],
  ['of a host that has none', 'unknown', 'unknown'],
  ['of what is no name', '../etc', 'x'],
])('a credential %s ends the stream before anything of it is heard', async (_, host, credential) => {
  const { fleet, connect } = await fleetFor(['a', 'b']);
  const call = connect(host, credential);
  call.attach('a');
  await settle();
  expect(call.failure).toMatchObject({ code: STATUS.unauthenticated });
  expect([call.heard, call.shown, call.refusals]).toEqual([[], [], 1]);
  expect(fleet.host('a')).toBeUndefined();
  fleet.close();
});

test('an agent of the version before attaches in its first message, and may join anew when it is not known', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b']);
  const call = connect();
  call.attach('a', 'forgotten');
  await settle();
  expect(call.last('refused')).toMatchObject({ host: 'a', refused: { reason: 'UnknownCredential' } });
  call.attach('a');
  await settle();
  expect(call.last('attached')?.host).toBe('a');
  call.attach('b');
  await settle();
  expect(call.last('attached')?.host).toBe('b');
  fleet.close();
});

test.each([
  ['a snapshot', [nothing('a')]],
  ['an Attach with something beside it', [attach('a'), nothing('a')]],
  ['a message that is beyond a bound', [{ host: 'a', body: 'broken', problem: 'x' } as const]],
  ['nothing', []],
])('an agent without metadata that says %s first is not heard', async (_, messages) => {
  const { fleet, connect } = await fleetFor(['a']);
  const call = connect();
  call.say(...messages);
  await settle();
  expect(call.failure).toMatchObject({ code: STATUS.invalidArgument });
  expect([call.heard, call.shown]).toEqual([[], []]);
  fleet.close();
});

test('who guesses credentials is heard a few times, and who says nothing not for long', async () => {
  const { fleet, clock, connect } = await fleetFor(['a']);
  const call = connect();
  for (let n = 0; n < 10; n++) call.attach('a', `guess ${n}`);
  await settle();
  expect(call.failure).toMatchObject({ code: STATUS.unauthenticated });
  expect(call.heard).toHaveLength(defaultServerLimits.attachAttempts - 1);
  expect(call.refusals).toBe(defaultServerLimits.attachAttempts);
  const silent = connect();
  await clock.advance(defaultServerLimits.credentialSeconds * 1000 - 1);
  expect(silent.ended).toBe(false);
  await clock.advance(1);
  expect(silent.ended).toBe(true);
  fleet.close();
});

test('what an agent says while its credential is looked at is heard afterwards, in order', async () => {
  const { fleet, connect } = await fleetFor(['a']);
  const call = connect('a');
  call.attach('a');
  call.say({ host: 'x', body: 'detach', detach: {} });
  await settle();
  call.say(nothing('a'));
  expect(fleet.host('a')?.connected).toBe(true);
  fleet.close();
});

function attach(host: string): AgentMessage {
  const said = { credential: host, facts: null, highestTerm: 0, runningCommands: [], registerZone: '' };
  return { host, body: 'attach', attach: said };
}
