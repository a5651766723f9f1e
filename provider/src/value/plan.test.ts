import { host, instance, l3Network } from '@plumb/schemas';
import { terraformKind } from '@plumb/schemas/project/terraform.ts';
import { describe, expect, test } from 'vitest';
import { planResource, settle } from './plan.ts';
import { type ObjectValue, UNKNOWN } from './value.ts';

const instances = terraformKind(instance);
const networks = terraformKind(l3Network);

const nothing = Object.fromEntries(instances.resource.map((a) => [a.name, null]));
const web: ObjectValue = {
  ...nothing,
  name: 'web-0',
  zone: 'home',
  offering: 'small',
  image: 'tiny',
  interfaces: [{ name: 'eth0', l3_network: 'lab', addresses: null, mac_address: null }],
};
const status = { uid: 'u', host: 'host-1', interfaces: [], ready: true };
const planned = (config: ObjectValue, prior: ObjectValue | null = null) => planResource(instances, config, prior);
const existing: ObjectValue = { ...planned(web).state, status };
const steps = (...names: string[]) => names.map((attribute) => ({ attribute }));

describe('a new resource', () => {
  test('has defaults, and a status that is not known', () => {
    const { state, requiresReplace } = planned(web);
    expect(state).toMatchObject({ project: 'default', power: 'Running', restart_policy: 'OnFailure', user_data: null });
    expect(state.status).toEqual({ uid: UNKNOWN, host: UNKNOWN, interfaces: UNKNOWN, ready: UNKNOWN });
    expect(requiresReplace).toEqual([]);
  });

  test('keeps what is unknown in the configuration', () => {
    expect(planned({ ...web, offering: UNKNOWN, power: UNKNOWN }).state).toMatchObject({
      offering: UNKNOWN,
      power: UNKNOWN,
    });
  });
});

describe('an existing resource', () => {
  test('without a change is planned as it is', () => {
    expect(planned(web, existing)).toEqual({ state: existing, requiresReplace: [] });
  });

  test('that is not as declared is planned as a change, also where nothing was edited, and stays the same object', () => {
    const moving = { ...status, host: UNKNOWN, interfaces: UNKNOWN, ready: UNKNOWN };
    const held = { ...existing, status: { ...status, ready: false } };
    expect(planned(web, held)).toEqual({ state: { ...existing, status: moving }, requiresReplace: [] });
    // Where the state has to say what was planned.
    expect(planResource(instances, web, existing, { unready: true }).state.status).toEqual(moving);
  });

  test('that is being deleted is replaced', () => {
    const { state, requiresReplace } = planResource(instances, web, existing, { deleting: true });
    expect(requiresReplace).toEqual([steps('status', 'uid')]);
    expect(state.status).toEqual({ uid: UNKNOWN, host: UNKNOWN, interfaces: UNKNOWN, ready: UNKNOWN });
  });

  test('what the configuration leaves out goes back to its default, not to what it was', () => {
    const { state } = planned(web, { ...existing, power: 'Stopped', user_data: 'old' });
    expect(state).toMatchObject({ power: 'Running', user_data: null });
  });

  test.each<[string, ObjectValue, ObjectValue]>([
    ['labels alter no status', { labels: { a: 'b' } }, status],
    ['timeouts alter no status', { timeouts: { create: '5m', update: null, delete: null } }, status],
    ['a restart policy alters no leaf', { restart_policy: 'Always' }, status],
    ['power can move it', { power: 'Stopped' }, { ...status, host: UNKNOWN }],
    [
      'interfaces alter addresses',
      { interfaces: [{ name: 'eth0', l3_network: 'other', addresses: null, mac_address: null }] },
      { ...status, host: UNKNOWN, interfaces: UNKNOWN },
    ],
    ['an unknown may be a change', { offering: UNKNOWN }, { ...status, host: UNKNOWN }],
  ])('%s', (_, change, expected) => expect(planned({ ...web, ...change }, existing).state.status).toEqual(expected));

  test.each<[string, ObjectValue, object[]]>([
    ['name', { name: 'web-1' }, [steps('name')]],
    ['project', { project: 'other' }, [steps('project')]],
    ['immutable fields', { root_disk_mib: 5, zone: 'away' }, [steps('zone'), steps('root_disk_mib')]],
    ['an immutable field that is not known', { zone: UNKNOWN }, [steps('zone')]],
    ['nothing else', { offering: 'large', power: 'Stopped' }, []],
  ])('is replaced by %s', (_, change, expected) => {
    expect(planned({ ...web, ...change }, existing).requiresReplace).toEqual(expected);
  });

  test('is replaced by a nested immutable field', () => {
    const config = (cidr: string): ObjectValue => ({
      ...Object.fromEntries(networks.resource.map((a) => [a.name, null])),
      name: 'lab',
      l2_network: 'lab',
      ipv4: { cidr, gateway: null, ranges: null, reserved: null },
    });
    const prior = planResource(networks, config('10.0.0.0/24'), null).state;
    expect(planResource(networks, config('10.1.0.0/24'), prior).requiresReplace).toEqual([steps('ipv4', 'cidr')]);
    const unknown: ObjectValue = { ...config('10.0.0.0/24'), ipv4: UNKNOWN };
    expect(planResource(networks, unknown, prior).requiresReplace).toEqual([steps('ipv4', 'cidr')]);
  });
});

test('a leaf without a list of what alters it is altered by every field of spec', () => {
  const odd = terraformKind({
    ...host,
    status: {
      type: 'object',
      additionalProperties: false,
      properties: { leaf: { type: 'string', 'x-plumb-settled': true } },
    },
  });
  const config = { ...Object.fromEntries(odd.resource.map((a) => [a.name, null])), name: 'h', zone: 'z' };
  const prior = { ...planResource(odd, config, null).state, status: { uid: 'u', leaf: 'x', ready: true } };
  const after = (change: ObjectValue) => planResource(odd, { ...config, ...change }, prior).state.status;
  expect(after({ unschedulable: true })).toEqual({ uid: 'u', leaf: UNKNOWN, ready: true });
  expect(after({ labels: { a: 'b' } })).toEqual({ uid: 'u', leaf: 'x', ready: true });
});

test('the state after an apply is what was planned, with the gaps filled', () => {
  const plan: ObjectValue = { a: 1, s: { uid: 'u', host: 'old', more: UNKNOWN }, l: [{ x: UNKNOWN }] };
  const live = { a: 2, s: { uid: 'u', host: 'moved', more: 'm' }, l: [{ x: 9 }] };
  expect(settle(plan, live)).toEqual({ a: 1, s: { uid: 'u', host: 'old', more: 'm' }, l: [{ x: 9 }] });
});
