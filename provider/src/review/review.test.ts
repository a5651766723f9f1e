/** Plans over the real protocol, against an API in memory whose reviews say what a test wants. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from '../testing/core.ts';
import { FakeApi, failure } from '../testing/fake-api.ts';
import { type ObjectValue, UNKNOWN } from '../value/value.ts';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({}, 50);
  terraform = await core.configured({ endpoint: api.endpoint });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const web = (more: ObjectValue = {}): ObjectValue => ({
  name: 'web-0',
  zone: 'home',
  offering: 'small',
  image: 'tiny',
  interfaces: [{ name: 'eth0', l3_network: 'lab', addresses: null, mac_address: null }],
  ...more,
});
const type = 'plumb_instance';
const step = (disruption: string) => ({ what: `does ${disruption}`, host: 'sim-0', disruption, why: 'asked' });
const reviews = () => api.seen.filter(({ path }) => path.endsWith('/planreviews'));
const objectsOf = (n: number) =>
  (reviews()[n]!.body as { spec: { objects: { metadata: { name: string } }[] } }).spec.objects.map(
    ({ metadata }) => metadata.name,
  );
const made = async (config = web()) => (await terraform.apply(type, config, null)).state!;

describe('what a change costs is told on its attribute (B8)', () => {
  test.each([
    ['image', { image: 'other', allow_data_loss: true }, ['restart', 'dataLoss'], 'Loses the data on the disk'],
    ['offering', { offering: 'large' }, ['restart'], 'Restarts the guest'],
    ['offering', { offering: 'large' }, ['live'], 'Changes while the guest runs'],
    ['interfaces', { interfaces: [{ name: 'eth1', l3_network: 'lab' }] }, ['live'], 'Changes while the guest runs'],
  ])('%s', async (attribute, more, disruptions, summary) => {
    const state = await made();
    api.review = () => ({ action: 'Update', steps: disruptions.map(step) });
    const { errors, failed } = await terraform.plan(type, web(more as ObjectValue), state);
    expect(failed).toBe(false);
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^${summary} \\| .* \\| ${attribute}$`))]);
  });

  test('a size that a guest gets only at its next start', async () => {
    const state = await made();
    api.review = () => ({ action: 'Update', restart: true, note: 'it runs with 1 CPUs' });
    const { errors } = await terraform.plan(type, web({ offering: 'large' }), state);
    expect(errors).toEqual([
      'Takes effect at the next start | Instance default/web-0: It runs with 1 CPUs. | offering',
    ]);
  });
});

describe('what cannot be', () => {
  const refuses = (reason: string, message: string, field: string, terminal: boolean) => {
    api.review = () => ({ action: 'Create', problem: { reason, message, field, terminal } });
  };

  test('fails the plan on its attribute, in the words of a configuration, where nothing later cures it (B13)', async () => {
    const state = await made();
    refuses('DataLossNotAllowed', 'spec.image: it is lost; set spec.allowDataLoss to true', 'spec.image', true);
    const { errors, failed } = await terraform.plan(type, web({ image: 'other' }), state);
    expect(failed).toBe(true);
    expect(errors).toEqual([
      'Instance default/web-0 cannot be as planned: DataLossNotAllowed | It is lost; set allow_data_loss to true. | image',
    ]);
  });

  test.each([
    ['ReferenceNotFound', 'spec.interfaces[0].l3Network: there is no L3Network lab yet', false, 'waits for it'],
    ['DuplicateAddress', 'interface eth0: address 10.0.0.1 is held by Instance b', true, 'fails'],
  ])('%s only warns: a later object may cure it', async (reason, message, terminal, words) => {
    refuses(reason, message, 'spec.interfaces[0].l3Network', terminal);
    const { errors, failed } = await terraform.plan(type, web(), null);
    expect(failed).toBe(false);
    expect(errors).toEqual([expect.stringMatching(new RegExp(`${words}\\. \\| interfaces\\.0\\.l3_network$`))]);
    expect(errors.join()).not.toContain('spec.');
  });

  test('is not held against what refers to something of which not all is known', async () => {
    const net = { name: 'lab', l2_network: 'lab', ipv4: { cidr: UNKNOWN, gateway: null, ranges: null } } as ObjectValue;
    expect((await terraform.plan('plumb_l3_network', net, null)).errors).toEqual([]);
    const message = 'spec.interfaces[0].l3Network: there is no L3Network default/lab yet';
    refuses('ReferenceNotFound', message, 'spec.interfaces[0].l3Network', false);
    expect((await terraform.plan(type, web(), null)).errors).toEqual([]);
    expect(reviews()).toHaveLength(1);
  });

  test('rules that the server alone knows are on their attributes, and do not keep the others from being planned', async () => {
    const causes = [{ field: 'spec.objects[0].spec.description', message: 'is not nice' }];
    let first = true;
    api.fault = ({ path }) => {
      if (!path.endsWith('/planreviews') || !first) return undefined;
      first = false;
      return { code: 422, body: failure(422, 'Invalid', 'no', causes) };
    };
    const [bad, good] = await Promise.all([
      terraform.plan('plumb_zone', { name: 'a', description: 'x' }, null),
      terraform.plan('plumb_zone', { name: 'b', description: 'y' }, null),
    ]);
    expect([bad, good].flatMap(({ errors }) => errors)).toEqual([
      'Invalid description | description is not nice. | description',
    ]);
  });
});

describe('what is asked', () => {
  test('nothing, of what does not change', async () => {
    const state = await made();
    const before = api.seen.length;
    expect((await terraform.plan(type, web(), state)).errors).toEqual([]);
    expect(api.seen.length).toBe(before);
  });

  test('together, of what is planned at once, and with what was planned before', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `web-${i}`);
    await terraform.plan('plumb_zone', { name: 'home' }, null);
    await Promise.all(names.map((name) => terraform.plan(type, web({ name }), null)));
    expect(reviews().length).toBeLessThanOrEqual(6);
    for (let n = 1; n < reviews().length; n++) expect(objectsOf(n)[0]).toBe('home');
    expect(new Set(objectsOf(reviews().length - 1))).toEqual(new Set(['home', ...names]));
  });

  test('with no more than so much of what was planned before; then nobody says where things would be', async () => {
    api.review = () => ({ action: 'Create', host: 'sim-0', addresses: [] });
    const told = async (name: string) => (await terraform.plan(type, web({ name }), null)).errors;
    expect(await told('first')).toEqual([
      expect.stringContaining('Where it would be | Instance default/first would run on sim-0.'),
    ]);
    for (let i = 0; i < 40; i++) await told(`web-${i}`);
    expect(await told('last')).toEqual([]);
    expect(objectsOf(reviews().length - 1)).toHaveLength(33);
  });

  test('a prediction is no promise: what is not declared stays unknown', async () => {
    api.review = () => ({
      ...{ action: 'Create', host: 'sim-0' },
      addresses: [{ interface: 'eth0', network: 'default/lab', addresses: ['10.20.0.10'] }],
    });
    const { state, errors } = await terraform.plan(type, web(), null);
    expect(errors).toEqual([expect.stringContaining('would run on sim-0 with eth0 10.20.0.10')]);
    expect(state!.status).toMatchObject({ host: UNKNOWN, interfaces: UNKNOWN });
  });
});

describe('what goes', () => {
  const blocked = { reason: 'DeletionBlocked', message: 'it goes only when nothing needs it: Instance default/web-0' };

  test('and comes back under its name, while others need it, warns and says what to do (B7)', async () => {
    const net = (cidr: string): ObjectValue => ({ name: 'lab', l2_network: 'lab', ipv4: { cidr } });
    const { state } = await terraform.apply('plumb_l3_network', net('10.0.0.0/24'), null);
    api.review = () => ({ action: 'Delete', problem: { ...blocked, terminal: false } });
    const { errors, failed, replace } = await terraform.plan('plumb_l3_network', net('10.1.0.0/24'), state);
    expect([failed, replace.length > 0]).toEqual([false, true]);
    expect(errors).toEqual([expect.stringContaining('replace_triggered_by')]);
    expect(errors[0]).toContain('Instance default/web-0');
  });

  test('fails at plan when it is protected', async () => {
    const state = await made();
    api.review = () => ({ action: 'Delete', problem: { reason: 'DeletionProtected', message: 'no', terminal: true } });
    const { errors, failed, state: planned } = await terraform.plan(type, null, state);
    expect([failed, planned]).toEqual([true, null]);
    expect(errors).toEqual([expect.stringMatching(/is protected from deletion .* deletion_protection$/)]);
  });
});

test('without a server the plan is made, and says once what it could not check', async () => {
  const { endpoint } = api;
  await api.close();
  const far = await core.configured({ endpoint });
  const plans = await Promise.all(['a', 'b', 'c'].map((name) => far.plan('plumb_zone', { name }, null)));
  await api.listen(0);
  expect(plans.every(({ failed, state }) => !failed && state !== null)).toBe(true);
  const said = plans.flatMap(({ errors }) => errors);
  expect(said).toEqual([
    expect.stringMatching(/^The plan was not checked by the server: Unreachable \| .*did not answer/),
  ]);
});

test('who may not ask for a review is told so once', async () => {
  api.fault = ({ path }) =>
    path.endsWith('/planreviews') ? { code: 403, body: failure(403, 'Forbidden', 'you may not') } : undefined;
  const said = [];
  for (const name of ['a', 'b']) said.push(...(await terraform.plan('plumb_zone', { name }, null)).errors);
  expect(said).toEqual([expect.stringContaining('The plan was not checked by the server: Forbidden | you may not.')]);
});
