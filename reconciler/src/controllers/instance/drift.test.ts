import { terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

interface Held {
  interfaces: { addresses: string[] }[];
}

describe('an instance that drifts', () => {
  it('is repaired when it drifts, and says what was found', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const domain = rig.fleet.host('host-1')!.resources.get(`domain/${uid}`)!;
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'destroyed' } } as typeof domain);
    const repaired = await rig.until('Instance', 'web-0', (o) => condition(o, 'Drifted') !== undefined);
    expect(condition(repaired, 'Drifted')).toMatchObject({ reason: 'Repaired' });
    expect(JSON.stringify(repaired!.status)).toContain('domain was destroyed on the host (host-1)');
    expect(rig.fleet.host('host-1')!.resources.get(`domain/${uid}`)!).toMatchObject({ domain: { state: 'running' } });
  });

  it('only reports drift where it is told to', async () => {
    await rig.create('Instance', 'web-0', instanceSpec({ driftPolicy: 'Report' }));
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    rig.fleet.take('host-1', rig.fleet.host('host-1')!.resources.get(`port/${uid}.eth0`)!);
    const drifted = await rig.until('Instance', 'web-0', (o) => condition(o, 'Drifted') !== undefined);
    expect(condition(drifted, 'Drifted')).toMatchObject({ status: 'True' });
    expect(rig.fleet.keysOn('host-1')).not.toContain(`port/${uid}.eth0`);
  });

  it("respects a guest's own shutdown, and starts it when its declaration changes", async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const domain = rig.fleet.host('host-1')!.resources.get(`domain/${uid}`)!;
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'shutdown' } } as typeof domain);
    const rests = await rig.until('Instance', 'web-0', (o) => o?.status?.power === 'Stopped');
    expect(condition(rests, 'Ready')).toMatchObject({ status: 'True', reason: 'GuestShutdown' });
    await rig.edit('Instance', 'web-0', (o) => (o.spec.restartPolicy = 'Always'));
    await rig.until('Instance', 'web-0', (o) => o?.status?.power === 'Running');
  });

  it('is untouched by a control plane with an empty store, which reports it as an orphan', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const before = rig.fleet.keysOn('host-1');
    await rig.stop();
    rig = await startRig({ fleet: rig.fleet });
    await rig.create('Zone', 'home', {});
    await rig.create('Host', 'host-1', hostSpec);
    const host = await rig.until('Host', 'host-1', (o) => o?.status?.orphans !== undefined);
    expect(host!.status!.orphans).toContainEqual({ kind: 'domain', id: uid, owner: uid });
    expect(rig.fleet.keysOn('host-1')).toEqual(before);
  });

  it('is looked after again when what a repair failed on for good is over', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const live = (key: string) => rig.fleet.host('host-1')!.resources.get(key)!;
    const port = live(`port/${uid}.eth0`);
    const fault = () => terminal('NameTaken', 'its interface is on this host and was not made for it');
    const isPort = (verb: string, { kind }: { kind: string }) => kind === 'port' && verb === 'ensure';
    rig.fleet.fault = (_h, verb, resource) => (isPort(verb, resource) ? fault() : undefined);
    rig.fleet.take('host-1', port);
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'NameTaken');
    // A person put it right, or the agent did, for another resource.
    rig.fleet.fault = () => undefined;
    rig.fleet.put('host-1', port);
    const well = await rig.ready('Instance', 'web-0');
    expect(condition(well, 'Stalled')).toBeUndefined();
    const domain = live(`domain/${uid}`);
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'crashed' } } as typeof domain);
    await rig.until('Instance', 'web-0', (o) => /crashed/.test(condition(o, 'Drifted')?.message ?? ''));
    expect(live(`domain/${uid}`)).toMatchObject({ domain: { state: 'running' } });
  });

  it('keeps its address from others when nobody knows it any more, since the store was put back to an earlier time', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const port = rig.fleet.host('host-1')!.resources.get(`port/${uid}.eth0`)!;
    if (port.kind !== 'port') throw new Error('it is no port');
    const next = port.spec.addresses[0]!.replace(/\d+$/, (last) => `${Number(last) + 1}`);
    const unknown = '01a22d00-0000-7000-8000-000000000001';
    const orphan = { ...port, id: `${unknown}.eth0`, owner: unknown, spec: { ...port.spec, addresses: [next] } };
    rig.fleet.put('host-1', orphan);
    await rig.until('Host', 'host-1', (o) => o?.status?.orphans !== undefined);
    await rig.create('Instance', 'web-1', instanceSpec());
    const other = ((await rig.ready('Instance', 'web-1')).status as unknown as Held).interfaces[0]!.addresses[0]!;
    expect(other).toBe(next.replace(/\d+$/, (last) => `${Number(last) + 1}`));
    rig.fleet.take('host-1', orphan);
    await rig.until('Host', 'host-1', (o) => o?.status?.orphans === undefined);
    await rig.create('Instance', 'web-2', instanceSpec());
    expect(((await rig.ready('Instance', 'web-2')).status as unknown as Held).interfaces[0]!.addresses).toEqual([next]);
  });
});
