import type { LiveResource } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blank } from './likeness.ts';
import { LiveState } from './live-state.ts';

const facts = { driver: 'simulated', agentVersion: '1', cpus: 1, memoryMiB: 1, tunnelAddress: '', streamAddress: '' };
const UID = '3f0e2a54-7b7e-4c39-9a5e-0d6b8a2f1c11';
const EXAMPLE = '00000000-0000-4000-8000-000000000000';
const KEY = `ssh-ed25519 ${'k'.repeat(68)} somebody@example.org`;

/** `variant`: what no word says. The words: a name, a MAC and an address. */
function resourcesOf(owner: string, variant: number, [name, mac, address]: readonly string[]): LiveResource[] {
  const drift = variant === 1 ? ['it is down'] : [];
  const port = { bridge: 'b', subnet: 's', macAddress: mac!, addresses: [address!], hostname: name!, mtuBytes: 1500 };
  const seed = { instanceId: owner, hostname: name!, sshKeys: variant === 2 ? [] : [KEY] };
  const resources: LiveResource[] = [
    { kind: 'seed', id: `${owner}.seed`, owner, spec: seed, drift },
    { kind: 'port', id: `${owner}.eth0`, owner, spec: port, drift: [] },
  ];
  if (variant === 3) resources.push({ ...resources[1]!, id: `${owner}.eth1` } as LiveResource);
  return resources;
}

const usual = [fc.constantFrom('web-0', 'web-1', 'web'), fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02')];
const words = fc.tuple(usual[0]!, usual[1]!, fc.constantFrom('10.0.0.1', '10.0.0.11'));
/** Some that JSON writes otherwise, that are kept short, that are marks, or that end what they are in. */
const odd = fc.constantFrom(UID, EXAMPLE, 'n'.repeat(70), '\x01', '\x02   ', blank(1), 'a","b', 'a\\', 'é', '');
const anyWords = fc.tuple(fc.oneof(usual[0]!, odd), fc.oneof(usual[1]!, odd), odd);
const variant = fc.nat(3);

function living(of: number, given: readonly string[]) {
  const live = new LiveState();
  live.replace(live.meet('h', facts), resourcesOf(UID, of, given));
  const blanks = [0, 1, 2].map(blank);
  return {
    live,
    isLike: (asked: number, with_: readonly string[], uid = UID, host = 'h') =>
      live.isLike(live.likeness(EXAMPLE, resourcesOf(EXAMPLE, asked, blanks)), uid, host, with_),
  };
}

test('what is like an example with its own words is exactly that, and the other way round', () => {
  fc.assert(
    fc.property(variant, words, variant, words, (there, has, asked, wanted) => {
      const { live, isLike } = living(there, has);
      const exactly = live.isExactly(UID, 'h', resourcesOf(UID, asked, wanted));
      expect(isLike(asked, wanted)).toBe(exactly);
      expect(isLike(there, has)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('whatever the words are, nothing is taken for what it is not', () => {
  fc.assert(
    fc.property(variant, anyWords, variant, anyWords, (there, has, asked, wanted) => {
      const { live, isLike } = living(there, has);
      if (isLike(asked, wanted)) expect(live.isExactly(UID, 'h', resourcesOf(UID, asked, wanted))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('it is of one object and one host, and of all that lives for it', () => {
  const given = ['web-0', '02:00:00:00:00:01', '10.0.0.1'];
  const { live, isLike } = living(0, given);
  expect([isLike(0, given), isLike(0, given, EXAMPLE), isLike(0, given, UID, 'other')]).toEqual([true, false, false]);
  expect([isLike(0, given.slice(1)), isLike(0, [...given, 'more'])]).toEqual([false, true]);
  live.put(live.meet('other', facts), resourcesOf(UID, 0, given)[0]!);
  expect(isLike(0, given)).toBe(false);
});
