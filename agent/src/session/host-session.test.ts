import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LiveResource, realAmbient } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { AgentMessage, HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Driver, DriverChange } from '../drivers/driver.ts';
import { Identity } from '../identity/identity.ts';
import { HostSession } from './host-session.ts';

let folder: string;
let session: HostSession;
let identity: Identity;
let tell: (change: DriverChange) => void;
let observed: { resolve(resources: LiveResource[]): void; reject(error: Error): void }[];
let timers: { ms: number; run: () => void }[];
let log: string[];
let troubles: HostTrouble[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-session-'));
  identity = await Identity.load(folder, 'host-1', realAmbient().ids);
  observed = [];
  timers = [];
  log = [];
  troubles = [];
  const driver: Driver = {
    name: 'simulated',
    facts: async () => ({ cpus: 2, memoryMiB: 1024 }),
    troubles: () => troubles,
    observe: () => new Promise((resolve, reject) => observed.push({ resolve, reject })),
    ensure: async () => {},
    remove: async () => {},
    onChange(listener) {
      tell = listener;
      return () => {};
    },
    close: async () => {},
  };
  session = new HostSession({
    ...{ identity, driver, agentVersion: '1', tunnelAddress: '192.0.2.1', registerZone: 'home' },
    clock: {
      now: () => 0,
      after(ms, run) {
        timers.push({ ms, run });
        return () => {};
      },
    },
    random: { next: () => 0 },
    log: (line) => log.push(line),
  });
});
afterEach(async () => {
  await session.close();
  await rm(folder, { recursive: true });
});

const live = (id: string): LiveResource => ({
  kind: 'bridge',
  id,
  owner: id,
  spec: { name: id, type: 'flat', physicalInterface: 'eth0', mtuBytes: 1500, peers: [] },
  drift: [],
});

/** A link that notes in a word each what was pushed. */
function link() {
  const words: string[] = [];
  return {
    words,
    push(message: AgentMessage) {
      if (message.body === 'snapshot') words.push(`all: ${message.snapshot.resources.map((t) => t.resource?.id)}`);
      else if (message.body === 'changes')
        words.push(
          ...message.changes.changed.map((t) => `+${t.resource?.id}`),
          ...message.changes.removed.map((t) => `-${t.id}`),
        );
      else if (message.body === 'report')
        words.push(`troubles: ${message.report.troubles.map(({ reason }) => reason)}`);
      else words.push(message.body ?? '');
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('attaching says who the host is, what it has and what it still does', async () => {
  await identity.raiseTerm(4);
  expect(await session.attachMessage()).toEqual({
    host: 'host-1',
    body: 'attach',
    attach: {
      credential: identity.credential,
      facts: { driver: 'simulated', agentVersion: '1', cpus: 2, memoryMib: 1024, tunnelAddress: '192.0.2.1' },
      highestTerm: 4,
      runningCommands: [],
      registerZone: 'home',
    },
  });
});

test('what is told while the host is observed comes after the snapshot', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  tell({ type: 'changed', resource: live('b') });
  tell({ type: 'removed', kind: 'bridge', id: 'a', owner: 'a' });
  expect(out.words).toEqual([]);
  observed[0]!.resolve([live('a')]);
  await begun;
  tell({ type: 'changed', resource: live('c') });
  expect(out.words).toEqual(['all: a', '+b', '-a', '+c']);
});

test('of more changes than are held while the host is observed none is kept, and it is observed again', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  // One that just fits is the last that is held.
  for (let n = 0; n <= defaultAgentLimits.changesHeld; n++) tell({ type: 'changed', resource: live('many') });
  tell({ type: 'changed', resource: live('late') });
  observed[0]!.resolve([live('stale')]);
  await settled();
  expect(out.words).toEqual([]);
  observed[1]!.resolve([live('a')]);
  await begun;
  expect(out.words).toEqual(['all: a', '+late']);
});

test('a driver that lost track while it was observed is observed again', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  tell({ type: 'lost' });
  observed[0]!.resolve([live('stale')]);
  await settled();
  expect(out.words).toEqual([]);
  observed[1]!.resolve([live('a')]);
  await begun;
  expect(out.words).toEqual(['all: a']);
});

test('a host that cannot be observed is tried again, and says only why until then', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  tell({ type: 'changed', resource: live('b') });
  observed[0]!.reject(new Error('libvirt is away'));
  await begun;
  expect(out.words).toEqual(['troubles: HostNotSeen']);
  expect(log).toEqual([expect.stringContaining('libvirt is away')]);
  expect(timers.map(({ ms }) => ms)).toEqual([125]);
  timers[0]!.run();
  observed[1]!.resolve([live('a')]);
  await settled();
  expect(out.words).toEqual(['troubles: HostNotSeen', 'all: a', 'troubles: ', '+b']);
});

test('a host that waits to be observed again is observed as soon as its driver says that something is new', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  observed[0]!.reject(new Error('libvirt is away'));
  await begun;
  tell({ type: 'lost' });
  expect(observed).toHaveLength(2);
  observed[1]!.resolve([live('a')]);
  await settled();
  expect(out.words).toEqual(['troubles: HostNotSeen', 'all: a', 'troubles: ']);
});

test('what is wrong with the host is told at once, and when it is over; nothing is said of a host that is well', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  expect(out.words).toEqual([]);
  troubles = [{ reason: 'LibvirtUnavailable', message: 'it is away', blocking: true }];
  tell({ type: 'troubles' });
  observed[0]!.reject(new Error('libvirt is away'));
  await begun;
  troubles = [];
  tell({ type: 'troubles' });
  const next = link();
  troubles = [{ reason: 'DiskFull', message: 'it is full', blocking: false }];
  void session.begin(next, 's2', 1);
  expect(out.words).toEqual(['troubles: LibvirtUnavailable', 'troubles: HostNotSeen']);
  expect(next.words).toEqual(['troubles: DiskFull']);
});

test('an observation that ends after its session says nothing in the next one', async () => {
  const first = link();
  const second = link();
  void session.begin(first, 's1', 1);
  session.end();
  const begun = session.begin(second, 's2', 1);
  observed[0]!.resolve([live('old')]);
  await settled();
  tell({ type: 'changed', resource: live('b') });
  observed[1]!.resolve([live('a')]);
  await begun;
  expect(first.words).toEqual([]);
  expect(second.words).toEqual(['all: a', '+b']);
});

test('a control plane of a lower term is not spoken to', async () => {
  await identity.raiseTerm(7);
  const out = link();
  await expect(session.begin(out, 's', 6)).rejects.toMatchObject({ reason: 'LowerTerm', retry: 'retry' });
  tell({ type: 'changed', resource: live('b') });
  expect(out.words).toEqual([]);
  expect(observed).toEqual([]);
});

test('with no session nothing is told, and nothing gathers', async () => {
  const out = link();
  const begun = session.begin(out, 's', 1);
  observed[0]!.resolve([]);
  await begun;
  session.end();
  tell({ type: 'changed', resource: live('b') });
  tell({ type: 'lost' });
  expect(out.words).toEqual(['all: ']);
  expect(observed).toHaveLength(1);
});
