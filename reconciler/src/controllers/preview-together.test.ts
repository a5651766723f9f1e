import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Declaration, type Preview, preview } from './preview.ts';
import { at, condition, hostSpec, instanceSpec, makeEstate } from './testing/estate.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
  for (const [kind, name] of [
    ['Host', 'host-1'],
    ['L3Network', 'lab'],
    ['Image', 'tiny'],
    ['InstanceOffering', 'small'],
  ] as const)
    await rig.ready(kind, name);
});

afterEach(() => rig.stop());

const declared = (kind: string, name: string, spec: object, metadata: object = {}): Declaration => ({
  kind,
  metadata: { name, ...metadata },
  spec,
});
const anInstance = (name: string, more: object = {}) => declared('Instance', name, instanceSpec(more));
const problems = (previews: readonly Preview[]) => previews.map(({ problem }) => problem?.reason);
const hosts = (previews: readonly Preview[]) => previews.map(({ steps }) => steps[0]?.host);

/** Makes what was planned, one after the other, and returns what its objects say. */
async function applied(declarations: readonly Declaration[]): Promise<(string | undefined)[]> {
  for (const { kind, metadata, spec } of declarations) {
    await rig.create(kind, metadata.name, spec);
    await rig.until(kind, metadata.name, (object) => {
      const ready = condition(object, 'Ready');
      return ready?.status === 'True' || (ready !== undefined && !['Planned', 'Progressing'].includes(ready.reason));
    });
  }
  return declarations.map(({ kind, metadata }) => {
    const ready = condition(rig.get(kind, metadata.name), 'Ready');
    return ready?.status === 'True' ? undefined : ready?.reason;
  });
}

describe('objects of one plan count for each other', () => {
  it('two instances that need the last room', async () => {
    const wanted = [declared('InstanceOffering', 'large', { cpus: 40, memoryMiB: 128 })];
    for (const name of ['web-0', 'web-1', 'web-2']) wanted.push(anInstance(name, { offering: 'large' }));
    const planned = preview(rig.context, wanted);
    const had = problems(planned);
    expect(had.filter((reason) => reason === 'NoCapacity').length).toBeGreaterThan(0);
    expect(had[1]).toBeUndefined();
    expect(rig.context.index.use('host-1').every((amount) => amount === 0)).toBe(true);
    expect(problems(preview(rig.context, wanted))).toEqual(had);
    expect(await applied(wanted)).toEqual(had);
  });

  it('two instances that ask for one address, and two that need the last one', async () => {
    const both = [anInstance('web-0', at('10.20.0.50')), anInstance('web-1', at('10.20.0.50'))];
    expect(problems(preview(rig.context, both))).toEqual([undefined, 'DuplicateAddress']);
    const small = { l2Network: 'lab', ipv4: { cidr: '10.30.0.0/30', gateway: '10.30.0.1' } };
    const on = { interfaces: [{ name: 'eth0', l3Network: 'tight' }] };
    const wanted = [anInstance('web-0', on), anInstance('web-1', on), declared('L3Network', 'tight', small)];
    expect(problems(preview(rig.context, wanted))).toEqual([undefined, 'NoFreeAddress', undefined]);
    expect(await applied([wanted[2]!, wanted[0]!, wanted[1]!])).toEqual([undefined, undefined, 'NoFreeAddress']);
  });

  it('a network whose DHCP server takes the last address, and an instance on it', () => {
    const outside = declared('L2Network', 'outside', { zone: 'home', type: 'flat', physicalInterface: 'eth1' });
    const spec = { l2Network: 'outside', ipv4: { cidr: '10.30.0.0/30', gateway: '10.30.0.1' } };
    const on = { interfaces: [{ name: 'eth0', l3Network: 'tight' }] };
    const planned = preview(rig.context, [outside, declared('L3Network', 'tight', spec), anInstance('web-0', on)]);
    expect(problems(planned)).toEqual([undefined, undefined, 'NoFreeAddress']);
  });

  it('a network that cannot be, and an instance on it', () => {
    const spec = { l2Network: 'nowhere', ipv4: { cidr: '10.30.0.0/24', gateway: '10.30.0.1' } };
    const on = { interfaces: [{ name: 'eth0', l3Network: 'lost' }] };
    const planned = preview(rig.context, [anInstance('web-0', on), declared('L3Network', 'lost', spec)]);
    expect(problems(planned)).toEqual(['ReferenceNotReady', 'ReferenceNotFound']);
  });

  it('a host and an instance: cordoned, open again, of another size, with a label', async () => {
    const host = (more: object, labels?: object) =>
      declared('Host', 'host-1', { ...hostSpec, ...more }, labels ? { labels } : {});
    const web = anInstance('web-0');
    expect(problems(preview(rig.context, [web, host({ unschedulable: true })]))).toEqual(['NoCapacity', undefined]);
    expect(problems(preview(rig.context, [web]))).toEqual([undefined]);
    const picky = anInstance('web-0', { hostSelector: { matchLabels: { disk: 'fast' } } });
    expect(problems(preview(rig.context, [picky]))).not.toEqual([undefined]);
    expect(problems(preview(rig.context, [picky, host({}, { disk: 'fast' })]))).toEqual([undefined, undefined]);
    expect(problems(preview(rig.context, [picky]))).not.toEqual([undefined]);
    await rig.edit('Host', 'host-1', (object) => {
      object.spec.unschedulable = true;
    });
    await rig.until('Host', 'host-1', (object) => object?.spec.unschedulable === true);
    expect(problems(preview(rig.context, [web]))).toEqual(['NoCapacity']);
    expect(problems(preview(rig.context, [host({}), web]))).toEqual([undefined, undefined]);
    expect(problems(preview(rig.context, [declared('Host', 'host-9', hostSpec), web]))).toEqual([
      undefined,
      'NoCapacity',
    ]);
  });

  it('the members of a spread group', async () => {
    for (const name of ['host-2', 'host-3']) {
      await rig.create('Host', name, hostSpec);
      rig.fleet.connect(name);
      await rig.ready('Host', name);
    }
    const names = ['web-0', 'web-1', 'web-2'];
    const planned = preview(
      rig.context,
      names.map((name) => anInstance(name, { spread: { group: 'web' } })),
    );
    expect(new Set(hosts(planned)).size).toBe(3);
  });

  it('an edited network and a new instance on it', () => {
    const spec = { zone: 'home', type: 'vxlan', vni: 100, hostSelector: { matchLabels: { rack: 'r1' } } };
    const planned = preview(rig.context, [declared('L2Network', 'lab', spec), anInstance('web-0')]);
    expect(planned[0]).toMatchObject({ action: 'update' });
    expect(planned[1]!.problem?.message).toContain('hostSelector of L2Network lab');
  });

  it('instances of an edited offering, of which the host has room for one', async () => {
    for (const name of ['web-0', 'web-1']) {
      await rig.create('Instance', name, instanceSpec());
      await rig.ready('Instance', name);
    }
    const { cpus } = rig.get('Host', 'host-1')!.status as { cpus: number };
    await rig.create('InstanceOffering', 'rest', { cpus: cpus * 8 - 4, memoryMiB: 128 });
    await rig.ready('InstanceOffering', 'rest');
    await rig.create('Instance', 'rest', instanceSpec({ offering: 'rest' }));
    await rig.ready('Instance', 'rest');
    const grown = preview(rig.context, [declared('InstanceOffering', 'small', { cpus: 3, memoryMiB: 128 })]);
    expect(grown.slice(1).map(({ steps, note }) => [steps.length, note !== undefined])).toEqual([
      [1, false],
      [0, true],
    ]);
  });
});
