import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

describe('an instance that comes and goes', () => {
  it('is created in one command, with its addresses and its share of the host made durable', async () => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    const ready = await rig.ready('Instance', 'web-0');
    const { uid } = ready.metadata;
    expect(ready.status).toMatchObject({ host: 'host-1', power: 'Running', cpus: 1, memoryMiB: 128 });
    expect(rig.fleet.keysOn('host-1')).toEqual(
      [
        `bridge/${rig.get('L2Network', 'lab')!.metadata.uid}`,
        `disk/${uid}.root`,
        `domain/${uid}`,
        `image/${'a'.repeat(64)}`,
        `port/${uid}.eth0`,
        `seed/${uid}.seed`,
        `subnet/${rig.get('L3Network', 'lab')!.metadata.uid}`,
      ].sort(),
    );
    expect(rig.fleet.sent.filter((s) => s.command.owner === uid)).toHaveLength(1);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":1,"memoryMiB":128,"instances":1}');
    expect(await rig.keys('/alloc/address/')).toHaveLength(1);
    expect(await rig.keys('/flows/')).toEqual([]);
  });

  it('leaves nothing behind when it is deleted', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect(await rig.keys('/alloc/mac/')).toEqual([]);
    expect(await rig.keys('/flows/')).toEqual([]);
    expect(await rig.keys('/deleted/')).toEqual([`/deleted/${uid}`]);
    for (const kind of ['L3Network', 'L2Network', 'Image', 'InstanceOffering', 'Host', 'Zone'])
      await rig.remove(
        kind,
        kind === 'Image'
          ? 'tiny'
          : kind === 'InstanceOffering'
            ? 'small'
            : kind === 'Zone'
              ? 'home'
              : kind === 'Host'
                ? 'host-1'
                : 'lab',
      );
    await rig.gone('Zone', 'home');
    await rig.gone('Image', 'tiny');
    await rig.gone('L2Network', 'lab');
    expect(rig.fleet.keysOn('host-1')).toEqual([]);
    expect(await rig.keys('/alloc/')).toEqual([]);
    expect(await rig.keys('/objects/')).toEqual([]);
  });

  it('waits for what it refers to, in any order', async () => {
    await rig.create('Instance', 'web-0', instanceSpec({ offering: 'later' }));
    await rig.until('Instance', 'web-0', (o) =>
      JSON.stringify(o?.status ?? '').includes('there is no InstanceOffering later'),
    );
    await rig.create('InstanceOffering', 'later', { cpus: 1, memoryMiB: 64 });
    expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ memoryMiB: 64 });
  });

  it('refuses an address that another holds, and takes it when it is free', async () => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    await rig.ready('Instance', 'web-0');
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.11')));
    const failed = await rig.stalled('Instance', 'web-1');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'DuplicateAddress' });
    expect(JSON.stringify(failed.status)).toContain('held by Instance default/web-0');
    await rig.remove('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
  });

  const answerAgain = () => {
    rig.fleet.hung.clear();
    rig.fleet.disconnect('host-1');
    rig.fleet.connect('host-1');
  };

  it.each([
    ['address', at('10.20.0.11')],
    ['MAC', { interfaces: [{ name: 'eth0', l3Network: 'lab', macAddress: '02:00:00:00:00:01' }] }],
  ])('waits for an %s whose holder is being deleted, as when one is renamed', async (_, spec) => {
    await rig.create('Instance', 'web-0', instanceSpec(spec));
    await rig.ready('Instance', 'web-0');
    rig.fleet.hung.add('host-1');
    await rig.remove('Instance', 'web-0');
    await rig.create('Instance', 'web-1', instanceSpec(spec));
    const waits = await rig.until('Instance', 'web-1', (o) => condition(o, 'Ready')?.reason === 'HolderLeaving');
    expect(condition(waits, 'Stalled')?.status).not.toBe('True');
    expect(condition(waits, 'Ready')?.message).toContain('Instance default/web-0, which gives it up');
    answerAgain();
    await rig.ready('Instance', 'web-1');
  });

  it('waits for an address that its holder is declared without, but not where each waits for the other', async () => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.12')));
    await rig.ready('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
    rig.fleet.hung.add('host-1');
    // As two updates of one run, in the order in which they cannot be.
    await rig.edit('Instance', 'web-1', (o) => Object.assign(o.spec, at('10.20.0.13')));
    await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, at('10.20.0.12')));
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'HolderLeaving');
    answerAgain();
    await rig.ready('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
    await rig.edit('Instance', 'web-1', (o) => Object.assign(o.spec, at('10.20.0.12')));
    expect(condition(await rig.stalled('Instance', 'web-1'), 'Ready')?.reason).toBe('DuplicateAddress');
    await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, at('10.20.0.13')));
    expect(condition(await rig.stalled('Instance', 'web-0'), 'Ready')?.reason).toBe('DuplicateAddress');
  });

  it('waits for nobody who keeps an address, however the network is named', async () => {
    const named = { interfaces: [{ name: 'eth0', l3Network: 'default/lab', addresses: ['10.20.0.11'] }] };
    await rig.create('Instance', 'web-0', instanceSpec(named));
    await rig.ready('Instance', 'web-0');
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.11')));
    expect(condition(await rig.stalled('Instance', 'web-1'), 'Ready')?.reason).toBe('DuplicateAddress');
  });

  it('never gives one address to two of many that are created at once', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `vm-${i}`);
    await Promise.all(names.map((n) => rig.create('Instance', n, instanceSpec())));
    // 64 CPUs after overcommit: the rest wait for room
    await Promise.all(names.map((n) => rig.until('Instance', n, (o) => o?.status?.conditions !== undefined)));
    const ready = names.map((n) => rig.get('Instance', n)!).filter((o) => o.status?.host !== undefined);
    expect(ready).toHaveLength(64);
    const addresses = ready.flatMap((o) =>
      (o.status!.interfaces as { addresses: string[] }[]).flatMap((i) => i.addresses),
    );
    expect(new Set(addresses).size).toBe(64);
    rig.fleet.connect('host-2');
    await rig.create('Host', 'host-2', hostSpec);
    await Promise.all(names.map((n) => rig.ready('Instance', n)));
  });

  it('can never be held by a host that is too small, and says so', async () => {
    await rig.create('InstanceOffering', 'huge', { cpus: 1, memoryMiB: 1_000_000 });
    await rig.create('Instance', 'web-0', instanceSpec({ offering: 'huge' }));
    expect(condition(await rig.stalled('Instance', 'web-0'), 'Ready')).toMatchObject({ reason: 'NoHostFits' });
  });
});
