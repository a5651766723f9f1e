import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { retryable } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bridge, connected, ensure, Stage, until } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const identity = async (host: string) =>
  JSON.parse(await readFile(join(stage.folder, `agent/hosts/${host}.json`), 'utf8'));

describe('commands', () => {
  test('a host joins, attaches, tells what it has, and obeys; its effects are seen before the answer', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    await driver.ensure(bridge('before'));
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    const host = plane.fleet.host('host-1')!;
    expect(host.facts).toEqual({
      driver: 'simulated',
      agentVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      cpus: 4,
      memoryMiB: 4096,
      tunnelAddress: '127.0.0.1',
      streamAddress: '127.0.0.1',
    });
    expect([...host.resources.keys()]).toEqual(['bridge/before']);

    const told: unknown[] = [];
    plane.fleet.onChange((change) => told.push(change));
    const outcomes = await plane.fleet.send('host-1', {
      owner: 'o1',
      fence: 1,
      steps: ensure(bridge('b1'), bridge('b2')),
    });
    expect(outcomes).toEqual([{ step: 'make bridge/b1' }, { step: 'make bridge/b2' }]);
    expect(host.resources.get('bridge/b1')).toEqual({ ...bridge('b1'), drift: [] });
    expect([...plane.fleet.ownedBy('b2')]).toEqual([{ host: 'host-1', resource: { ...bridge('b2'), drift: [] } }]);
    expect(told).toEqual([
      { type: 'resource', host: 'host-1', kind: 'bridge', id: 'b1', owner: 'b1' },
      { type: 'resource', host: 'host-1', kind: 'bridge', id: 'b2', owner: 'b2' },
    ]);

    const step = { id: 'remove', verb: 'remove' as const, resource: bridge('b1') };
    await plane.fleet.send('host-1', { owner: 'o1', fence: 1, steps: [step] });
    expect(host.resources.has('bridge/b1')).toBe(false);
    expect([...plane.fleet.ownedBy('b1')]).toEqual([]);
  });

  test('the first failure ends a command, and says what the driver said', async () => {
    const plane = await stage.plane();
    await stage.agent(plane, { 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1');
    const disk = {
      kind: 'disk' as const,
      id: 'i1.root',
      owner: 'i1',
      spec: { image: 'gone', imageFormat: 'raw' as const },
    };
    const outcomes = await plane.fleet.send('host-1', {
      owner: 'i1',
      fence: 1,
      steps: ensure(bridge('b1'), disk, bridge('b2')),
    });
    expect(outcomes.map(({ step, error }) => [step, error?.reason, error?.retry])).toEqual([
      ['make bridge/b1', undefined, undefined],
      ['make disk/i1.root', 'MissingDependency', 'retry'],
    ]);
    expect(plane.fleet.host('host-1')!.resources.has('bridge/b2')).toBe(false);
  });

  test('drift that nobody asked for is told', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    await driver.ensure(bridge('b1'));
    await until(plane.fleet, () => plane.fleet.host('host-1')!.resources.has('bridge/b1'));
  });

  test('a driver that lost track is observed again', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    const observe = vi.spyOn(driver, 'observe');
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    observe.mockResolvedValue([{ ...bridge('seen'), drift: ['odd'] }]);
    driver.loseTrack();
    await until(plane.fleet, () => plane.fleet.host('host-1')!.resources.has('bridge/seen'));
    expect(observe).toHaveBeenCalledTimes(2);
  });

  test('a host that is not there is told at once', async () => {
    const plane = await stage.plane();
    const sent = plane.fleet.send('nobody', { owner: 'o', fence: 1, steps: [] });
    await expect(sent).rejects.toMatchObject({ reason: 'HostNotConnected', retry: 'retry' });
  });

  test('a lower fence is refused, within the owner only', async () => {
    const plane = await stage.plane();
    await stage.agent(plane, { 'host-1': stage.simulated() });
    await connected(plane.fleet, 'host-1');
    const send = (owner: string, fence: number) =>
      plane.fleet.send('host-1', { owner, fence, steps: ensure(bridge(`${owner}-${fence}`)) });
    await send('a', 7);
    await expect(send('a', 6)).rejects.toMatchObject({
      reason: 'HostRefused',
      message: expect.stringMatching(/LowerFence/),
    });
    await send('a', 7);
    await send('b', 1);
    expect([...plane.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/a-7', 'bridge/b-1']);
  });
});

describe('a lost stream', () => {
  test('a slow command goes on; its answer is lost, its effect is in the next session, and asking again is safe', async () => {
    const plane = await stage.plane();
    await plane.declare('host-1');
    const driver = stage.simulated();
    const released = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const real = driver.ensure.bind(driver);
    vi.spyOn(driver, 'ensure').mockImplementation(async (resource) => {
      begun.resolve();
      await released.promise;
      await real(resource);
    });
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    const command = { owner: 'o', fence: 3, steps: ensure(bridge('slow'), bridge('next')) };
    const first = plane.fleet.send('host-1', command);
    await begun.promise;
    plane.cut();
    await expect(first).rejects.toMatchObject({ reason: 'HostDisconnected', retry: 'retry' });
    expect(plane.fleet.host('host-1')?.connected ?? false).toBe(false);
    await connected(plane.fleet, 'host-1');
    expect(plane.fleet.host('host-1')!.resources.size).toBe(0);
    const again = plane.fleet.send('host-1', command);
    released.resolve();
    expect(await again).toEqual([{ step: 'make bridge/slow' }, { step: 'make bridge/next' }]);
    expect([...plane.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/slow', 'bridge/next']);
  });

  test('what happened meanwhile is in the snapshot of the next session', async () => {
    const plane = await stage.plane();
    await plane.declare('host-1');
    const driver = stage.simulated();
    await driver.ensure(bridge('gone'));
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    plane.cut();
    await until(plane.fleet, () => !plane.fleet.host('host-1')?.connected);
    expect(plane.fleet.host('host-1')!.resources.has('bridge/gone')).toBe(true);
    await driver.remove(bridge('gone'));
    await driver.ensure(bridge('new'));
    await connected(plane.fleet, 'host-1');
    expect([...plane.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/new']);
    expect([...plane.fleet.ownedBy('gone')]).toEqual([]);
  });

  test('an agent that is stopped takes its leave at once, and leaves everything running', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    await driver.ensure(bridge('b1'));
    const agent = await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    await agent.stop();
    expect(plane.fleet.host('host-1')?.connected ?? false).toBe(false);
    expect(await driver.observe()).toHaveLength(1);
    expect(plane.log.at(-1)).toContain('took its leave');
  });
});

describe('a control plane that is not the one before', () => {
  test('started again it has a higher term, and hosts come back to it', async () => {
    const first = await stage.plane();
    await stage.agent(first, { 'host-1': stage.simulated() });
    await connected(first.fleet, 'host-1');
    await vi.waitFor(async () => expect((await identity('host-1')).highestTerm).toBe(first.fleet.term));
    await first.close();
    const second = await stage.plane({ store: first.store, port: Number(new URL(first.url).port) });
    expect(second.fleet.term).toBeGreaterThan(first.fleet.term);
    await connected(second.fleet, 'host-1');
    await second.fleet.send('host-1', { owner: 'o', fence: 1, steps: ensure(bridge('b1')) });
    expect((await identity('host-1')).highestTerm).toBe(second.fleet.term);
  });

  test('restored from a time before, it goes on above the terms that hosts have obeyed, with fences from anew', async () => {
    const first = await stage.plane({ term: 8 });
    await stage.agent(first, { 'host-1': stage.simulated() });
    await connected(first.fleet, 'host-1');
    await first.fleet.send('host-1', { owner: 'o', fence: 500, steps: ensure(bridge('b1')) });
    await first.close();
    const second = await stage.plane({ store: first.store, term: 3, port: Number(new URL(first.url).port) });
    await connected(second.fleet, 'host-1');
    expect(second.fleet.term).toBeGreaterThan(8);
    expect((await first.store.get(keys.control('term')))?.value).toBe(String(second.fleet.term));
    await second.fleet.send('host-1', { owner: 'o', fence: 2, steps: ensure(bridge('b2')) });
    expect([...second.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/b1', 'bridge/b2']);
  });

  test('begun anew with another authority, it is found when its join token is put in place', async () => {
    const first = await stage.plane({ name: 'first' });
    const tokenFile = join(stage.folder, 'token');
    await writeFile(tokenFile, await readFile(first.pki.joinTokenFile!));
    const driver = stage.simulated();
    await driver.ensure(bridge('kept'));
    const agent = await stage.agent(first, { 'host-1': driver }, { tokenFile });
    await connected(first.fleet, 'host-1');
    const before = await identity('host-1');
    await first.close();
    const second = await stage.plane({ name: 'second', port: Number(new URL(first.url).port) });
    await vi.waitFor(() => expect(agent.log.join('\n')).toMatch(/is not the one that the join token speaks of/), 5000);
    expect(second.fleet.host('host-1')).toBeUndefined();
    await writeFile(tokenFile, await readFile(second.pki.joinTokenFile!));
    await connected(second.fleet, 'host-1');
    expect([...second.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/kept']);
    expect((await identity('host-1')).credential).not.toBe(before.credential);
  });

  test('the token may be taken away from a host that has joined', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    const agent = await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    await vi.waitFor(() => readFile(join(stage.folder, 'agent/control-plane.crt')));
    await agent.stop();
    await stage.agent(plane, { 'host-1': stage.simulated() }, { tokenFile: join(stage.folder, 'none') });
    await connected(plane.fleet, 'host-1');
  });
});

describe('many', () => {
  test('500 hosts on 4 streams, each commanded at once', async () => {
    const plane = await stage.plane();
    const names = Array.from({ length: 500 }, (_, n) => `sim-${n}`);
    await stage.agent(plane, Object.fromEntries(names.map((name) => [name, stage.simulated()])), { streams: 4 });
    await connected(plane.fleet, ...names);
    await Promise.all(
      names.map((name) => plane.fleet.send(name, { owner: name, fence: 1, steps: ensure(bridge('shared')) })),
    );
    expect([...plane.fleet.ownedBy('shared')]).toHaveLength(500);
  });

  test('a host with 20,000 resources is seen whole or not at all', async () => {
    const plane = await stage.plane();
    const driver = stage.simulated();
    for (let n = 0; n < 20_000; n++) await driver.ensure(bridge(`b${n}`));
    const sizes = new Set<number>();
    plane.fleet.onChange(() => sizes.add(plane.fleet.host('host-1')!.resources.size));
    await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    expect([...sizes]).toEqual([20_000]);
  });

  test('a host that fails at random is brought to its end by asking again', async () => {
    const plane = await stage.plane();
    await stage.agent(plane, { 'host-1': stage.simulated({ failureRate: 0.5 }) });
    await connected(plane.fleet, 'host-1');
    const steps = ensure(...Array.from({ length: 10 }, (_, n) => bridge(`b${n}`)));
    let failures = 0;
    for (let done = false; !done; ) {
      const outcomes = await plane.fleet.send('host-1', { owner: 'o', fence: 1, steps });
      const error = outcomes.at(-1)?.error;
      if (error) expect(error).toEqual(retryable('SimulatedFailure', error.message));
      failures += error ? 1 : 0;
      done = outcomes.length === 10 && error === undefined;
    }
    expect(failures).toBeGreaterThan(0);
    expect(plane.fleet.host('host-1')!.resources.size).toBe(10);
  });
});
