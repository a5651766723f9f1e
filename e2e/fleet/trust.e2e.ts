import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Identity } from '@plumb/agent/identity/identity.ts';
import { isCredentialOf } from '@plumb/reconciler/fleet/credentials.ts';
import { FakeClock } from '@plumb/reconciler/runtime/fake-clock.ts';
import { Metrics } from '@plumb/reconciler/runtime/metrics.ts';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { realAmbient } from '@plumb/schemas';
import { callMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import { parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bridge, connected, ensure, type Plane, Stage, until } from './stage.ts';
import { Stranger } from './stranger.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const kept = async (host: string) => JSON.parse(await readFile(join(stage.folder, `agent/hosts/${host}.json`), 'utf8'));

function stranger(plane: Plane, said?: Record<string, string>): Stranger {
  const made = new Stranger(plane, said);
  stage.onClose(async () => made.close());
  return made;
}

describe('who may join', () => {
  test('a wrong token buys nothing, and a corrected file is read without a restart', async () => {
    const plane = await stage.plane();
    const right = await readFile(plane.pki.joinTokenFile!, 'utf8');
    const tokenFile = join(stage.folder, 'token');
    const wrong = `${'x'.repeat(43)}.${parseJoinToken(right).caPin}`;
    await writeFile(tokenFile, wrong);
    const agent = await stage.agent(plane, { 'host-1': stage.simulated() }, { tokenFile });
    await vi.waitFor(() => expect(agent.log.join('\n')).toContain('does not let this host in'), 5000);
    expect((await plane.store.list(keys.credential(''))).entries).toEqual([]);
    expect(plane.fleet.host('host-1')).toBeUndefined();
    expect([...plane.log, ...agent.log].join('\n')).not.toContain(parseJoinToken(wrong).secret);
    await writeFile(tokenFile, right);
    await connected(plane.fleet, 'host-1');
  });

  test('the credential is kept for its owner only, and the store has nothing but its hash', async () => {
    const plane = await stage.plane();
    const agent = await stage.agent(plane, { 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1');
    const path = join(stage.folder, 'agent/hosts/host-1.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { credential } = await kept('host-1');
    expect(credential).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(JSON.stringify((await plane.store.list('/')).entries)).not.toContain(credential);
    expect([...plane.log, ...agent.log].join('\n')).not.toContain(credential);
  });

  test('a name that is taken is refused with what to do, and a person gives it to who asks', async () => {
    const plane = await stage.plane();
    const first = await stage.agent(plane, { 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1');
    await first.stop();
    const second = await stage.agent(plane, { 'host-1': stage.simulated() }, { dataDir: join(stage.folder, 'other') });
    await vi.waitFor(() => expect(second.log.join('\n')).toContain('plumb host readmit host-1'), 5000);
    expect(plane.fleet.host('host-1')?.connected ?? false).toBe(false);
    const [asking] = plane.fleet.newcomers();
    expect(asking).toMatchObject({ host: 'host-1', address: '127.0.0.1' });
    const named = /readmit host-1 --credential ([0-9a-f]{16})/.exec(second.log.join('\n'))?.[1];
    await plane.fleet.readmit('host-1', named);
    await connected(plane.fleet, 'host-1');
  });

  test('an agent that was pointed at another control plane once comes back as itself, and shows its credential nowhere else', async () => {
    const first = await stage.plane({ name: 'first' });
    const driver = stage.simulated();
    await driver.ensure(bridge('kept'));
    const there = await stage.agent(first, { 'host-1': driver });
    await connected(first.fleet, 'host-1');
    const before = await kept('host-1');
    await there.stop();
    const second = await stage.plane({ name: 'second' });
    const elsewhere = await stage.agent(second, { 'host-1': driver });
    await connected(second.fleet, 'host-1');
    await elsewhere.stop();
    expect(await isCredentialOf(second.store, 'host-1', before.credential)).toBe(false);
    await stage.agent(first, { 'host-1': driver });
    await connected(first.fleet, 'host-1');
    expect([...first.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/kept']);
    await vi.waitFor(async () => expect((await kept('host-1')).credential).toBe(before.credential));
  });

  test('an answer that was lost can be asked for again', async () => {
    const plane = await stage.plane();
    const identity = await Identity.load(join(stage.folder, 'agent'), 'host-1', realAmbient().ids);
    await identity.beforeJoin();
    const { dial } = stranger(plane);
    const token = await readFile(plane.pki.joinTokenFile!, 'utf8');
    const request = { token, host: 'host-1', registerZone: '', credentialSha256: identity.credentialSha256 };
    await dial.join(request);
    await dial.join(request);
    // The agent that died in between starts again, knowing nothing of the answer.
    await stage.agent(plane, { 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1');
  });

  test.each([
    { host: '../etc', credentialSha256: 'ab'.repeat(32) },
    { host: 'host-1', credentialSha256: 'short' },
  ])('what is no host name or no hash is refused: $host', async (part) => {
    const plane = await stage.plane();
    const token = await readFile(plane.pki.joinTokenFile!, 'utf8');
    const joined = stranger(plane).dial.join({ token, registerZone: '', ...part });
    await expect(joined).rejects.toMatchObject({ reason: 'InvalidJoin', retry: 'terminal' });
    expect((await plane.store.list(keys.credential(''))).entries).toEqual([]);
  });

  test('when the credential is withdrawn the session ends, what it said is forgotten, and the host joins anew', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    await driver.ensure(bridge('b1'));
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    const before = await kept('host-1');
    const gone = until(plane.fleet, () => !plane.fleet.host('host-1')?.connected);
    await plane.store.commit({ preconditions: [], ops: [{ type: 'delete', key: keys.credential('host-1') }] });
    await gone;
    await connected(plane.fleet, 'host-1');
    expect((await kept('host-1')).credential).toBe(before.credential);
    expect([...plane.fleet.ownedBy('b1')]).toHaveLength(1);
  });
});

describe('who is heard', () => {
  test('a host cannot attach as another, nor speak for another', async () => {
    const plane = await stage.plane();
    await stage.agent(plane, { 'host-a': stage.simulated(), 'host-b': stage.simulated() });
    await connected(plane.fleet, 'host-a', 'host-b');
    const { credential } = await kept('host-b');
    const bad = stranger(plane);
    bad.attach('host-a', credential);
    bad.attach('host-b', credential);
    await bad.until(() => bad.heard.length === 2);
    expect(bad.heard).toEqual([
      { host: 'host-a', body: 'refused', refused: expect.objectContaining({ reason: 'UnknownCredential' }) },
      { host: 'host-b', body: 'attached', attached: expect.anything() },
    ]);
    const resource = { kind: 'bridge', id: 'evil', owner: 'evil', spec: JSON.stringify(bridge('evil').spec) };
    bad.say(
      { host: 'host-a', body: 'snapshot', snapshot: { resources: [], more: false } },
      { host: 'host-a', body: 'changes', changes: { changed: [{ resource, drift: [] }], removed: [] } },
      { host: 'host-a', body: 'detach', detach: {} },
      { host: 'host-b', body: 'snapshot', snapshot: { resources: [{ resource, drift: [] }], more: false } },
    );
    await until(plane.fleet, () => plane.fleet.host('host-b')!.resources.has('bridge/evil'));
    expect(plane.fleet.host('host-a')!.connected).toBe(true);
    expect(plane.fleet.host('host-a')!.resources.size).toBe(0);
  });

  test('who is not attached is told so once, on a stream that a host has opened', async () => {
    const plane = await stage.plane();
    const snapshot: AgentMessage = { host: 'host-a', body: 'snapshot', snapshot: { resources: [], more: false } };
    const unknown = stranger(plane);
    unknown.say(snapshot, snapshot);
    await unknown.until(() => unknown.ended);
    expect(unknown.heard).toEqual([]);
    await plane.admit('host-c', 'its own');
    const bad = stranger(plane, callMetadata('host-c', 'its own'));
    bad.say(snapshot, snapshot, { ...snapshot, host: 'host-b' });
    await bad.until(() => bad.heard.length === 2);
    expect(bad.heard.map(({ host, ...rest }) => [host, rest])).toEqual([
      ['host-a', { body: 'refused', refused: expect.objectContaining({ reason: 'NotAttached', terminal: false }) }],
      ['host-b', { body: 'refused', refused: expect.objectContaining({ reason: 'NotAttached' }) }],
    ]);
    expect([...plane.fleet.hosts()]).toEqual([]);
  });

  test('an answer to the command of another host is not one', async () => {
    const slow = stage.simulated();
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    vi.spyOn(slow, 'ensure').mockImplementation(() => {
      asked.resolve();
      return released.promise;
    });
    const fixed = { ...realAmbient().ids, uid: () => 'guessed' };
    const plane = await stage.plane({ ambient: { ...realAmbient(), ids: fixed } });
    await stage.agent(plane, { 'host-a': slow });
    await connected(plane.fleet, 'host-a');
    const sent = plane.fleet.send('host-a', { owner: 'o', fence: 1, steps: ensure(bridge('b')) });
    let answered = false;
    sent.then(
      () => {
        answered = true;
      },
      () => {},
    );
    await asked.promise;
    const bad = stranger(plane);
    const token = await readFile(plane.pki.joinTokenFile!, 'utf8');
    const identity = await Identity.load(join(stage.folder, 'bad'), 'host-b', realAmbient().ids);
    await bad.dial.join({ token, host: 'host-b', registerZone: '', credentialSha256: identity.credentialSha256 });
    bad.attach('host-b', identity.credential);
    await bad.until(() => bad.heard.length === 1);
    bad.say(
      { host: 'host-b', body: 'snapshot', snapshot: { resources: [], more: false } },
      { host: 'host-b', body: 'result', result: { command: 'guessed', steps: [], refused: null } },
      { host: 'host-a', body: 'result', result: { command: 'guessed', steps: [], refused: null } },
    );
    await bad.until(() => bad.heard.length === 2);
    expect(answered).toBe(false);
    plane.cut();
    await expect(sent).rejects.toMatchObject({ reason: 'HostDisconnected' });
    released.resolve();
  });

  test('of two agents for one host the later is heard, and the earlier is told why', async () => {
    const plane = await stage.plane();
    const first = await stage.agent(plane, { 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1');
    const other = stage.simulated();
    await other.ensure(bridge('other'));
    await stage.agent(plane, { 'host-1': other });
    await until(plane.fleet, () => plane.fleet.host('host-1')!.resources.has('bridge/other'));
    await vi.waitFor(() => expect(first.log.join('\n')).toMatch(/another agent attached.*trying again in 30/), 5000);
  });

  test('a stream that is silent for 30 s is ended; one that beats is not', async () => {
    const clock = new FakeClock(Date.now());
    const plane = await stage.plane({ ambient: { ...realAmbient(), clock } });
    for (const host of ['lazy', 'alive']) await plane.admit(host, 'x');
    const lazy = stranger(plane);
    const alive = stranger(plane);
    lazy.attach('lazy', 'x');
    alive.attach('alive', 'x');
    await Promise.all([lazy.until(() => lazy.heard.length === 1), alive.until(() => alive.heard.length === 1)]);
    await clock.advance(29_000);
    expect([lazy.ended, alive.ended]).toEqual([false, false]);
    alive.say({ host: '', body: 'heartbeat', heartbeat: { sequence: 1 } });
    alive.say({ host: 'other', body: 'snapshot', snapshot: { resources: [], more: false } });
    await alive.until(() => alive.heard.length === 2);
    await clock.advance(2_000);
    await lazy.until(() => lazy.ended);
    expect(alive.ended).toBe(false);
    await clock.advance(30_000);
    await alive.until(() => alive.ended);
  });

  test('an agent beats every 10 s, so that it is heard while nothing happens', async () => {
    const clock = new FakeClock(Date.now());
    const metrics = new Metrics();
    const plane = await stage.plane({ metrics, ambient: { ...realAmbient(), clock } });
    await stage.agent(plane, { 'host-1': stage.simulated() }, { ambient: { ...realAmbient(), clock } });
    await connected(plane.fleet, 'host-1');
    for (let beats = 1; beats <= 12; beats++) {
      await clock.advance(10_000);
      // Attach, snapshot, and the beats so far.
      const received = `plumb_fleet_messages_total{direction="received"} ${2 + beats}`;
      await vi.waitFor(async () => expect(await metrics.text()).toContain(received));
    }
    expect(plane.fleet.host('host-1')!.connected).toBe(true);
    expect(await metrics.text()).toContain('plumb_fleet_hosts 1');
  });
});

describe('hosts that nobody declared', () => {
  const declare = (plane: Plane, host: string) => ({
    preconditions: [],
    ops: [{ type: 'put' as const, key: keys.object('hosts', undefined, host), value: '{}' }],
    plane,
  });

  test('wait, tell what they have, and are listed until they are declared', async () => {
    const waiting: string[] = [];
    const plane = await stage.plane({ onPending: (host) => waiting.push(host) });
    const driver = stage.simulated();
    await driver.ensure(bridge('b1'));
    await stage.agent(plane, { 'host-2': driver, 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1', 'host-2');
    const pending = await plane.fleet.pendingHosts();
    expect(pending.map(({ name }) => name)).toEqual(['host-1', 'host-2']);
    expect(pending[0]?.facts).toMatchObject({ cpus: 4, memoryMiB: 4096 });
    expect(plane.fleet.host('host-2')!.resources.size).toBe(1);
    await vi.waitFor(() => expect(waiting.sort()).toEqual(['host-1', 'host-2']));
    await plane.store.commit(declare(plane, 'host-1'));
    expect((await plane.fleet.pendingHosts()).map(({ name }) => name)).toEqual(['host-2']);
  });

  test('are declared in the zone that the agent names, and again when that failed', async () => {
    const clock = new FakeClock(Date.now());
    const asked: string[] = [];
    const done = Promise.withResolvers<void>();
    const plane = await stage.plane({
      ambient: { ...realAmbient(), clock },
      register: async (host, zone) => {
        asked.push(`${host} in ${zone}`);
        if (asked.length === 1) throw new Error('the store is full');
        await plane.store.commit(declare(plane, host));
        done.resolve();
      },
    });
    await stage.agent(plane, { 'host-1': stage.simulated() }, { registerZone: 'home' });
    await connected(plane.fleet, 'host-1');
    await vi.waitFor(() => expect(plane.log.join('\n')).toContain('the store is full'));
    await clock.advance(5_000);
    await done.promise;
    expect(asked).toEqual(['host-1 in home', 'host-1 in home']);
    expect(await plane.fleet.pendingHosts()).toEqual([]);
  });

  test('what is declared already is not declared again', async () => {
    const asked: string[] = [];
    const plane = await stage.plane({
      register: async (host) => {
        asked.push(host);
      },
    });
    await plane.store.commit(declare(plane, 'host-1'));
    await stage.agent(plane, { 'host-1': stage.simulated(), 'host-2': stage.simulated() }, { registerZone: 'home' });
    await vi.waitFor(() => expect(asked).toEqual(['host-2']));
    await connected(plane.fleet, 'host-1', 'host-2');
    expect(asked).toEqual(['host-2']);
  });
});
