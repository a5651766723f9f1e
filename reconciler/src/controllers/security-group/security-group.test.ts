import type { HostResource } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

const web = { matchLabels: { app: 'web' } };
const isWeb = { labels: { app: 'web' } };

function lives<K extends HostResource['kind']>(kind: K, id: string): HostResource<K>['spec'] | undefined {
  const resource = rig.fleet.host('host-1')!.resources.get(`${kind}/${id}`);
  return resource?.spec as HostResource<K>['spec'] | undefined;
}

const group = (name: string, spec: object) => rig.create('SecurityGroup', name, { log: false, ...spec });
const uidOf = (kind: string, name: string) => rig.get(kind, name)!.metadata.uid;
const flowsOf = (uid: string) => rig.fleet.sent.filter(({ command }) => command.owner === uid).length;

describe('a security group', () => {
  it('is in force before the domain of what it selects, and leaves with its last user', async () => {
    await group('web', { selector: web, ingress: [{ protocol: 'TCP', port: 80 }] });
    await rig.create('Instance', 'web-0', instanceSpec(), isWeb);
    await rig.create('Instance', 'db-0', instanceSpec());
    await rig.ready('Instance', 'web-0');
    await rig.ready('Instance', 'db-0');
    const [uid, sg] = [uidOf('Instance', 'web-0'), uidOf('SecurityGroup', 'web')];
    expect(lives('port-filter', `${uid}.eth0`)).toEqual({ port: `${uid}.eth0`, rulesets: [sg] });
    expect(lives('port-filter', `${uidOf('Instance', 'db-0')}.eth0`)).toBeUndefined();
    expect(lives('ruleset', sg)).toEqual({ name: 'default/web', ingress: [{ protocol: 'TCP', port: 80 }] });
    const steps = rig.fleet.sent
      .find(({ command }) => command.owner === uid)!
      .command.steps.map((s) => s.resource.kind);
    expect(steps.indexOf('ruleset')).toBeLessThan(steps.indexOf('port-filter'));
    expect(steps.indexOf('port-filter')).toBeLessThan(steps.indexOf('domain'));
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    await expect.poll(() => lives('ruleset', sg)).toBeUndefined();
    expect(lives('port-filter', `${uid}.eth0`)).toBeUndefined();
  });

  it('changes its rules on hosts without a flow of who it selects', async () => {
    await group('web', { selector: web, ingress: [] });
    await rig.create('Instance', 'web-0', instanceSpec(), isWeb);
    await rig.ready('Instance', 'web-0');
    const [uid, sg] = [uidOf('Instance', 'web-0'), uidOf('SecurityGroup', 'web')];
    const before = flowsOf(uid);
    await rig.edit('SecurityGroup', 'web', ({ spec }) => {
      spec.ingress = [{ protocol: 'ICMP', icmpType: 8 }];
    });
    await expect.poll(() => lives('ruleset', sg)?.ingress).toEqual([{ protocol: 'ICMP', icmpType: 8 }]);
    expect(flowsOf(uid)).toBe(before);
  });

  it('takes and lets go of what runs when labels or its selector change', async () => {
    await group('web', { selector: web });
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.ready('Instance', 'web-0');
    const [uid, sg] = [uidOf('Instance', 'web-0'), uidOf('SecurityGroup', 'web')];
    const filter = () => lives('port-filter', `${uid}.eth0`)?.rulesets;
    await rig.edit('Instance', 'web-0', ({ metadata }) => {
      metadata.labels = { app: 'web' };
    });
    await expect.poll(filter).toEqual([sg]);
    await rig.edit('SecurityGroup', 'web', ({ spec }) => {
      spec.selector = { matchLabels: { app: 'other' } };
    });
    await expect.poll(filter).toBeUndefined();
    await expect.poll(() => lives('ruleset', sg)).toBeUndefined();
    await rig.ready('Instance', 'web-0');
    await rig.edit('SecurityGroup', 'web', ({ spec }) => {
      spec.selector = {};
      spec.interfaces = ['eth7'];
    });
    await rig.until('SecurityGroup', 'web', (o) => o?.status?.observedGeneration === 3);
    expect(filter()).toBeUndefined();
    await rig.edit('SecurityGroup', 'web', ({ spec }) => {
      spec.interfaces = ['eth0'];
    });
    await expect.poll(filter).toEqual([sg]);
  });

  it('names others by the addresses that they select, wherever its rules are', async () => {
    await group('web', { selector: web });
    await group('db', {
      selector: { matchLabels: { app: 'db' } },
      ingress: [{ protocol: 'TCP', port: 5432, securityGroups: ['web', 'db'] }],
    });
    await rig.create('Instance', 'db-0', instanceSpec(at('10.20.0.50')), { labels: { app: 'db' } });
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.51')), isWeb);
    await rig.ready('Instance', 'db-0');
    await rig.ready('Instance', 'web-0');
    const [webGroup, dbGroup] = [uidOf('SecurityGroup', 'web'), uidOf('SecurityGroup', 'db')];
    expect(lives('ruleset', dbGroup)?.ingress).toEqual([
      { protocol: 'TCP', port: 5432, groups: [webGroup, dbGroup].sort() },
    ]);
    await expect.poll(() => lives('address-group', webGroup)?.addresses).toEqual(['10.20.0.51']);
    await expect.poll(() => lives('address-group', dbGroup)?.addresses).toEqual(['10.20.0.50']);
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.52')), isWeb);
    await rig.ready('Instance', 'web-1');
    await expect.poll(() => lives('address-group', webGroup)?.addresses).toEqual(['10.20.0.51', '10.20.0.52']);
    await rig.remove('Instance', 'web-0');
    await expect.poll(() => lives('address-group', webGroup)?.addresses).toEqual(['10.20.0.52']);
    await rig.until('SecurityGroup', 'web', (o) => (o?.status as { interfaces?: number })?.interfaces === 1);
  });

  it('brings the addresses of a group that an edit comes to name', async () => {
    await group('web', { selector: web });
    await group('db', { selector: {}, ingress: [] });
    await rig.create('Instance', 'db-0', instanceSpec());
    await rig.ready('Instance', 'db-0');
    await rig.edit('SecurityGroup', 'db', ({ spec }) => {
      spec.ingress = [{ securityGroups: ['web'] }];
    });
    await expect
      .poll(() => lives('ruleset', uidOf('SecurityGroup', 'db'))?.ingress)
      .toEqual([{ groups: [uidOf('SecurityGroup', 'web')] }]);
    expect(lives('address-group', uidOf('SecurityGroup', 'web'))).toEqual({ name: 'default/web', addresses: [] });
  });

  it('takes the addresses of a group away with the last rules that name it', async () => {
    await group('web', { selector: {} });
    await group('db', { selector: {}, ingress: [{ securityGroups: ['web'] }] });
    await rig.create('Instance', 'db-0', instanceSpec());
    await rig.ready('Instance', 'db-0');
    const addresses = () => lives('address-group', uidOf('SecurityGroup', 'web'));
    expect(addresses()).toBeDefined();
    await rig.remove('Instance', 'db-0');
    await expect.poll(addresses).toBeUndefined();
  });

  it('waits for a group that a rule names, and keeps what it knows in force', async () => {
    await group('db', { selector: {}, ingress: [{ securityGroups: ['web'] }] });
    await rig.create('Instance', 'db-0', instanceSpec());
    await rig.ready('Instance', 'db-0');
    const waiting = await rig.until('SecurityGroup', 'db', (o) => condition(o, 'Ready')?.status === 'False');
    expect(condition(waiting, 'Ready')?.reason).toBe('ReferenceNotFound');
    expect(lives('ruleset', uidOf('SecurityGroup', 'db'))?.ingress).toEqual([]);
    await group('web', { selector: web });
    await rig.ready('SecurityGroup', 'db');
    await expect.poll(() => lives('ruleset', uidOf('SecurityGroup', 'db'))?.ingress).toHaveLength(1);
  });

  it('is made where agents know of it, and waits where none does', async () => {
    rig.fleet.lacking.set('host-1', ['port-filter', 'ruleset', 'address-group']);
    rig.fleet.connect('host-1');
    await group('web', { selector: web });
    await rig.create('Instance', 'web-0', instanceSpec(), isWeb);
    const waiting = await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'NoHostReady');
    expect(condition(waiting, 'Ready')?.message).toContain('PluginMissing');
    await rig.create('Instance', 'db-0', instanceSpec());
    await rig.ready('Instance', 'db-0');
    await rig.create('Host', 'host-2', hostSpec);
    rig.fleet.connect('host-2');
    expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ host: 'host-2' });
  });

  it('is deleted when nothing is filtered by it any more, also where it names itself', async () => {
    await group('web', { selector: web, ingress: [{ securityGroups: ['web'] }] });
    await rig.create('Instance', 'web-0', instanceSpec(), isWeb);
    await rig.ready('Instance', 'web-0');
    const [uid, sg] = [uidOf('Instance', 'web-0'), uidOf('SecurityGroup', 'web')];
    await rig.remove('SecurityGroup', 'web');
    await rig.gone('SecurityGroup', 'web');
    expect(lives('port-filter', `${uid}.eth0`)).toBeUndefined();
    expect(lives('ruleset', sg)).toBeUndefined();
    await rig.ready('Instance', 'web-0');
  });

  it.each([false, true])('two that name each other are deleted together (in use: %s)', async (inUse) => {
    await group('web', { selector: web, ingress: [{ securityGroups: ['db'] }] });
    await group('db', { selector: web, ingress: [{ securityGroups: ['web'] }] });
    if (inUse) {
      await rig.create('Instance', 'web-0', instanceSpec(), isWeb);
      await rig.ready('Instance', 'web-0');
    } else await rig.ready('SecurityGroup', 'web');
    await rig.remove('SecurityGroup', 'web');
    const kept = await rig.until('SecurityGroup', 'web', (o) => condition(o, 'Ready')?.reason === 'DeletionBlocked');
    expect(condition(kept, 'Ready')?.message).toContain('SecurityGroup default/db');
    await rig.remove('SecurityGroup', 'db');
    await rig.gone('SecurityGroup', 'web');
    await rig.gone('SecurityGroup', 'db');
    expect(rig.fleet.keysOn('host-1').filter((key) => /^(ruleset|address-group|port-filter)/.test(key))).toEqual([]);
  });

  it('repairs what somebody changed on a host', async () => {
    await group('web', { selector: web });
    await rig.create('Instance', 'web-0', instanceSpec(), isWeb);
    await rig.ready('Instance', 'web-0');
    const [uid, sg] = [uidOf('Instance', 'web-0'), uidOf('SecurityGroup', 'web')];
    const { resources } = rig.fleet.host('host-1')!;
    for (const key of [`port-filter/${uid}.eth0`, `ruleset/${sg}`])
      rig.fleet.put('host-1', { ...resources.get(key)!, drift: ['somebody changed it'] });
    for (const key of [`port-filter/${uid}.eth0`, `ruleset/${sg}`])
      await expect.poll(() => rig.fleet.host('host-1')!.resources.get(key)?.drift).toEqual([]);
  });
});
