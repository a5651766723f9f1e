import { type ApiRig, manifests, startApiRig, V1 } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Ran, runPlumb } from './testing/run.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig({
    extensions: [
      {
        method: 'GET',
        path: `${V1}/pendinghosts`,
        handle: async () => ({
          body: {
            items: [
              {
                metadata: { name: 'host-9' },
                fingerprint: '0123456789abcdef',
                status: {
                  driver: 'simulated',
                  agentVersion: '9',
                  cpus: 4,
                  memoryMiB: 4096,
                  streamAddress: '192.0.2.9',
                },
              },
            ],
          },
        }),
      },
    ],
  });
});
afterAll(() => api.stop());

const plumb = (args: string[], input = ''): Promise<Ran> => runPlumb(api, args, { input });

const zone = (name: string, description = 'x') =>
  `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: ${name}, labels: {a: b}}\nspec: {description: ${description}}\n`;

/** Says of an object what a controller would. */
async function tell(name: string, generation: number, ...conditions: [type: string, status: string][]) {
  const status = {
    observedGeneration: generation,
    conditions: conditions.map(([type, said]) => ({
      type,
      status: said,
      reason: 'OnPurpose',
      message: 'as the test says',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
  };
  await api.ask('PATCH', `${V1}/zones/${name}/status`, { headers: MERGE, body: { status } });
}

const release = (name: string) =>
  api.ask('PATCH', `${V1}/zones/${name}`, { headers: MERGE, body: { metadata: { finalizers: null } } });

describe('apply', () => {
  test('creates, leaves alone, changes', async () => {
    const apply = (text: string) => plumb(['apply', '-f', '-', '--no-wait'], text);
    expect(await apply(zone('one'))).toEqual({ code: 0, out: 'zone/one created\n', err: '' });
    expect((await apply(zone('one'))).out).toBe('zone/one unchanged\n');
    expect((await apply(zone('one', 'changed'))).out).toBe('zone/one configured\n');
    const { body } = await api.ask('GET', `${V1}/zones/one`);
    expect(body).toMatchObject({ spec: { description: 'changed' }, metadata: { generation: 2, labels: { a: 'b' } } });
  });

  test('waits until all are ready, and counts them', async () => {
    const running = plumb(['apply', '-f', '-'], `${zone('w1')}---\n${zone('w2')}`);
    await expect.poll(async () => (await api.ask('GET', `${V1}/zones/w2`)).status).toBe(200);
    await tell('w1', 1, ['Ready', 'True']);
    await tell('w2', 1, ['Ready', 'True']);
    const { code, out, err } = await running;
    expect(code).toBe(0);
    expect(out.split('\n').filter(Boolean).sort()).toEqual(['zone/w1 created', 'zone/w2 created']);
    expect(err).toMatch(/zone\/w1 ready\n/);
    expect(err).toMatch(/2 of 2 ready in \d+s\n$/);
  });

  test('what said of an older generation that it is ready is waited for', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('older'));
    await tell('older', 1, ['Ready', 'True']);
    const { code, err } = await plumb(['apply', '-f', '-', '--timeout', '300ms'], zone('older', 'changed'));
    expect(code).toBe(1);
    expect(err).toContain('zone/older is not ready in time');
  });

  test('a failure for good ends the wait at once with its reason', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('failed'));
    await tell('failed', 1, ['Ready', 'False'], ['Stalled', 'True']);
    const { code, err } = await plumb(['apply', '-f', '-'], zone('failed'));
    expect(code).toBe(1);
    expect(err).toContain('zone/failed failed: OnPurpose: as the test says');
    expect(err).toContain('0 of 1 ready');
  });

  test('namespaces come before what is in them, wherever they are written', async () => {
    const instance =
      'apiVersion: plumb.dev/v1\nkind: Instance\nmetadata: {name: i, namespace: fresh}\n' +
      'spec: {zone: z, offering: o, image: i, interfaces: [{name: e, l3Network: l}]}\n';
    const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n';
    const { code, out } = await plumb(['apply', '-f', '-', '--no-wait'], `${instance}---\n${namespace}`);
    expect(code).toBe(0);
    expect(out).toBe('namespace/fresh created\ninstance/fresh/i created\n');
  });

  test('nothing is sent when one manifest is wrong; what the server refuses is told by field', async () => {
    const wrong = await plumb(['apply', '-f', '-'], `${zone('unsent')}---\n${zone('Bad')}`);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('standard input:8: metadata.name');
    expect((await api.ask('GET', `${V1}/zones/unsent`)).status).toBe(404);

    const host = (of: string) => `apiVersion: plumb.dev/v1\nkind: Host\nmetadata: {name: h}\nspec: {zone: ${of}}\n`;
    await plumb(['apply', '-f', '-', '--no-wait'], host('one'));
    const moved = await plumb(['apply', '-f', '-'], host('other'));
    expect(moved.code).toBe(1);
    expect(moved.err).toMatch(
      /^error: host\/h: is invalid\n {2}spec\.zone: Invalid value: is fixed when the object is created/,
    );
  });
});

describe('diff', () => {
  test('tells by its exit code', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('same'));
    expect(await plumb(['diff', '-f', '-'], zone('same'))).toEqual({ code: 0, out: '', err: '' });
    const changed = await plumb(['diff', '-f', '-'], zone('same', 'other'));
    expect(changed).toMatchObject({ code: 1, out: '~ zone/same\n  ~ spec.description: "x" → "other"\n' });
    expect((await plumb(['diff', '-f', '-'], 'a: [')).code).toBe(2);
  });
});

describe('get and describe', () => {
  test('tables, names, YAML that can be applied again', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('shown'));
    const { out } = await plumb(['get', 'zone', 'shown']);
    expect(out).toMatch(/^NAME +READY +AGE\nshown +<none> +\d+s\n$/);
    expect((await plumb(['get', 'zone/shown', '-o', 'name'])).out).toBe('zone/shown\n');
    const yaml = (await plumb(['get', 'zones', 'shown', '-o', 'yaml'])).out;
    expect(parse(yaml)).toEqual((await api.ask('GET', `${V1}/zones/shown`)).body);
    expect((await plumb(['apply', '-f', '-', '--no-wait'], yaml)).out).toBe('zone/shown unchanged\n');
    const list = JSON.parse((await plumb(['get', 'zones', '-l', 'a=b', '-o', 'json'])).out);
    expect(list).toMatchObject({ kind: 'List', apiVersion: 'v1' });
    expect((await plumb(['get', 'vm', '-A'])).out).toMatch(/^NAMESPACE +NAME/);
    expect((await plumb(['get', '-f', '-'], zone('shown'))).out).toContain('shown');
    expect((await plumb(['get', 'images'])).err).toBe('nothing found\n');
    expect((await plumb(['get', 'zone', 'none'])).err).toContain('zones.plumb.dev "none" not found');
    const some = await plumb(['get', 'zone/shown', 'zone/none', '-o', 'name']);
    expect(some).toMatchObject({ code: 1, out: 'zone/shown\n', err: expect.stringContaining('"none" not found') });
    expect((await plumb(['get', 'zone', 'shown', 'none'])).out).toMatch(/^NAME .*\nshown /);
  });

  test('kinds by their group; all kinds at once, each name with its kind', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('grouped'));
    for (const kind of ['zones.plumb.dev', 'zone.plumb.dev', 'Zone.v1.plumb.dev', 'zones.plumb.dev/grouped'])
      expect((await plumb(['get', kind, '-o', 'name'])).out).toContain('zone/grouped\n');
    expect((await plumb(['get', 'ns.v1', '-o', 'name'])).out).toBe('namespace/default\nnamespace/fresh\n');
    expect((await plumb(['get', 'zones.plumb.io'])).err).toContain('did you mean zones.plumb.dev?');
    for (const word of ['all', 'plumb']) {
      const { out } = await plumb(['get', word, '-A', '-o', 'table']);
      expect(out).toMatch(/^NAME +READY/m);
      expect(out).toMatch(/^zone\/grouped /m);
      expect(out).toMatch(/^fresh +instance\/i /m);
    }
    expect(JSON.parse((await plumb(['get', 'all', '-A', '-o', 'json'])).out).items.length).toBeGreaterThan(3);
  });

  test('apply prints names or objects where that is asked for', async () => {
    const apply = (form: string) => plumb(['apply', '-f', '-', '--no-wait', '-o', form], zone('printed'));
    expect(await apply('name')).toMatchObject({ code: 0, out: 'zone/printed\n' });
    expect(JSON.parse((await apply('json')).out)).toMatchObject({ kind: 'Zone', metadata: { generation: 1 } });
    expect(parse((await apply('yaml')).out)).toMatchObject({ kind: 'Zone' });
    expect((await apply('xml')).code).toBe(2);
  });

  test('-w says what was deleted, and its rows stay below their columns', async () => {
    const own = await startApiRig();
    const zones = `${V1}/zones`;
    for (const name of ['a', 'long-one']) await own.ask('POST', zones, { body: manifests.zone(name) });
    const texts = new Map(['table', 'json', 'name'].map((form) => [form, '']));
    const ends = [...texts.keys()].map((form) => {
      const printed = (text: string) => void texts.set(form, texts.get(form) + text);
      return runPlumb(own, ['get', 'zones', '-w', '-o', form], { printed });
    });
    await expect.poll(() => texts.get('table')).toMatch(/^a .*\n(.*\n)*long-one /m);
    await expect.poll(() => texts.get('name')).toContain('long-one');
    await own.ask('DELETE', `${zones}/a`);
    await own.ask('PATCH', `${zones}/a`, { headers: MERGE, body: { metadata: { finalizers: null } } });
    await expect.poll(() => texts.get('table')).toMatch(/^a {10}deleted$/m);
    await expect.poll(() => texts.get('name')).toContain('zone/a deleted\n');
    await own.pki.rotateAdminToken();
    const [, json] = await Promise.all(ends);
    expect(json!.err).toContain('zone/a deleted\n');
    await own.stop();
  });

  test('-w shows what is there and every change, until it may no longer', async () => {
    const own = await startApiRig();
    const post = (name: string) => own.ask('POST', `${V1}/zones`, { body: manifests.zone(name) });
    await post('first');
    let out = '';
    const printed = (text: string) => {
      out += text;
    };
    const watching = runPlumb(own, ['get', 'zones', '-w'], { printed });
    await expect.poll(() => out).toMatch(/^NAME .*\nfirst /);
    await post('second');
    await expect.poll(() => out).toMatch(/^NAME .*\nfirst .*\nsecond .*\n$/);
    await own.pki.rotateAdminToken();
    expect((await watching).code).toBe(1);
    await own.stop();
  });

  test('hosts that wait', async () => {
    expect((await plumb(['get', 'hosts', '--pending'])).out).toMatch(
      /^NAME .*\nhost-9 +simulated +4 +4096 +192\.0\.2\.9 +0123456789abcdef +9\n/,
    );
    expect((await plumb(['get', 'zones', '--pending'])).code).toBe(2);
  });

  test('describe shows conditions and events, and no secrets', async () => {
    const text =
      'apiVersion: plumb.dev/v1\nkind: Instance\nmetadata: {name: told}\n' +
      'spec: {zone: z, offering: o, image: i, userData: hunter2, interfaces: [{name: e, l3Network: l}]}\n';
    await plumb(['apply', '-f', '-', '--no-wait'], text);
    const { body: object } = await api.ask('GET', `${V1}/namespaces/default/instances/told`);
    api.events.record({ object, type: 'Warning', reason: 'Drift', message: 'its bridge port is gone' });
    const { out } = await plumb(['describe', 'vm/told']);
    expect(out).toContain('Conditions: none');
    expect(out).toMatch(/Warning +Drift +\d+s +1 +its bridge port is gone/);
    expect(out).toContain('userData: (not shown)');
    expect(out).not.toContain('hunter2');
  });

  test('describe shows the fields of a built-in kind, and of a Secret no value', async () => {
    const text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: told}\nstringData: {password: hunter2}\n';
    expect((await plumb(['apply', '-f', '-'], text)).out).toBe('secret/told created\n');
    const { out } = await plumb(['describe', 'secret', 'told']);
    expect(out).toContain('Type: Opaque\nData:\n  password: (not shown)\n');
    for (const value of ['hunter2', Buffer.from('hunter2').toString('base64')]) expect(out).not.toContain(value);
    expect((await plumb(['get', 'secret', 'told'])).out).toMatch(/^NAME +TYPE +DATA +AGE\ntold +Opaque +1 +/);
  });
});

describe('Ctrl-C', () => {
  const many = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => zone(`${prefix}-${i}`)).join('---\n');
  const ended = AbortSignal.abort();

  test('while objects are sent: says how many were, and sends no more', async () => {
    const stop = new AbortController();
    const printed = () => stop.abort();
    const { code, out, err } = await runPlumb(api, ['apply', '-f', '-'], {
      ...{ input: many('cut', 200), printed, interrupt: stop.signal },
    });
    const sent = out.split('\n').filter(Boolean).length;
    expect(sent).toBeLessThan(200);
    expect({ code, err }).toEqual({
      code: 130,
      err: `interrupted: ${sent} of 200 were sent; the server goes on with those, and plumb apply sends the rest\n`,
    });
    const { body } = await api.ask('GET', `${V1}/zones`);
    const there = body.items.filter(({ metadata }: { metadata: { name: string } }) => metadata.name.startsWith('cut-'));
    expect(there).toHaveLength(sent);
  });

  test('while they are waited for: says how many are ready', async () => {
    const stop = new AbortController();
    await plumb(['apply', '-f', '-', '--no-wait'], zone('slow'));
    const { code, err } = await runPlumb(api, ['apply', '-f', '-'], {
      ...{ input: zone('slow'), interrupt: stop.signal },
      // Sent, and waited for from now on.
      printed: () => stop.abort(),
    });
    expect({ code, err }).toEqual({
      code: 130,
      err: expect.stringMatching(/^interrupted: 0 of 1 are ready; the server/m),
    });
    const waited = await runPlumb(api, ['wait', 'zone/slow', '--for', 'condition=X'], { interrupt: ended });
    expect(waited).toMatchObject({ code: 130, err: 'interrupted: 0 of 1 are condition=X\n' });
  });

  test('while they are deleted', async () => {
    const { code, err } = await runPlumb(api, ['delete', 'zone', 'slow'], { interrupt: ended });
    expect({ code, err }).toEqual({ code: 130, err: expect.stringContaining('0 of 1 were asked to go') });
    const stop = new AbortController();
    const deleting = runPlumb(api, ['delete', 'zone', 'slow'], { interrupt: stop.signal });
    setTimeout(() => stop.abort(), 300);
    expect(await deleting).toMatchObject({ code: 130, err: expect.stringContaining('0 of 1 are gone') });
  });
});

describe('events', () => {
  test('of all, of one, of one type, and as they come', async () => {
    const own = await startApiRig();
    const record = (name: string, type: 'Normal' | 'Warning', reason: string) =>
      own.events.record({
        object: { ...manifests.zone(name), metadata: { ...manifests.zone(name).metadata, name, uid: name } } as never,
        ...{ type, reason, message: `of ${name}` },
      });
    record('one', 'Normal', 'Made');
    record('two', 'Warning', 'Broken');
    const told = async (...args: string[]) => (await runPlumb(own, ['events', ...args])).out;
    expect(await told()).toMatch(
      /^LAST SEEN +TYPE +REASON +OBJECT +COUNT +MESSAGE\n.*Made +zone\/one +1 +of one\n.*Broken +zone\/two/,
    );
    expect(await told('zone', 'one')).not.toContain('zone/two');
    expect(await told('zone/two', '-A')).not.toContain('zone/one');
    expect(await told('--types', 'warning')).not.toContain('Made');
    expect((await runPlumb(own, ['events', '--types', 'Bad'])).code).toBe(2);
    expect((await runPlumb(own, ['events', 'zone', 'three'])).err).toContain('nothing has happened');
    let out = '';
    const printed = (text: string) => {
      out += text;
    };
    const watching = runPlumb(own, ['events', '-w'], { printed });
    await expect.poll(() => out).toContain('zone/two');
    record('three', 'Normal', 'Made');
    await expect.poll(() => out).toMatch(/Made +zone\/three/);
    await own.pki.rotateAdminToken();
    expect((await watching).code).toBe(1);
    await own.stop();
  });
});

describe('wait', () => {
  test('for a condition, for the end, and not for ever', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('awaited'));
    const waiting = plumb(['wait', 'zone/awaited', '--for', 'condition=Checked=False']);
    await tell('awaited', 1, ['Checked', 'False']);
    expect((await waiting).code).toBe(0);
    expect((await plumb(['wait', 'zone/awaited', '--timeout', '200ms'])).code).toBe(1);
    expect((await plumb(['wait', 'zone/none', '--for', 'deleted'])).code).toBe(0);
    expect((await plumb(['wait', 'zone/none'])).err).toContain('zone/none is not there');
    expect((await plumb(['wait', 'zone/none', '--for', 'luck'])).code).toBe(2);
  });
});

describe('delete', () => {
  test('waits until the object is gone; what is not there is no error', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('leaving'));
    const leaving = plumb(['delete', '-f', '-'], zone('leaving'));
    await expect
      .poll(async () => (await api.ask('GET', `${V1}/zones/leaving`)).body.metadata?.deletionTimestamp)
      .toBeDefined();
    await release('leaving');
    const { code, err } = await leaving;
    expect(code).toBe(0);
    expect(err).toContain('zone/leaving gone');
    expect(await plumb(['delete', 'zone', 'leaving'])).toMatchObject({ code: 0, out: 'zone/leaving is not there\n' });
  });

  test('an object of the same name that came after is none of ours', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('reborn'));
    const leaving = plumb(['delete', 'zone', 'reborn']);
    await expect
      .poll(async () => (await api.ask('GET', `${V1}/zones/reborn`)).body.metadata?.deletionTimestamp)
      .toBeDefined();
    await release('reborn');
    await plumb(['apply', '-f', '-', '--no-wait'], zone('reborn'));
    expect((await leaving).code).toBe(0);
  });

  test('says why something is still there', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], zone('blocked'));
    await tell('blocked', 2, ['Ready', 'False']);
    const { code, err } = await plumb(['delete', 'zone/blocked', '--timeout', '300ms']);
    expect(code).toBe(1);
    expect(err).toContain('zone/blocked is still there: OnPurpose: as the test says');
    expect((await plumb(['delete', 'zone/blocked', '--no-wait'])).out).toBe('zone/blocked is going\n');
  });
});

describe('who owns what', () => {
  const by = (manager: string, body: object, more = '') =>
    api.ask('PATCH', `${V1}/zones/owned?fieldManager=${manager}${more}`, {
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'owned' }, ...body },
    });
  const owned = (spec: string, labels = '') =>
    `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: owned${labels && `, labels: {${labels}}`}}\nspec: {${spec}}\n`;

  test('apply refuses what others own in the words of kubectl, and takes it by force', async () => {
    await by('terraform', { spec: { description: 'theirs' } });
    const apply = (...more: string[]) => plumb(['apply', '-f', '-', '--no-wait', ...more], owned('description: ours'));
    expect(await apply()).toEqual({
      code: 1,
      out: '',
      err: 'error: zone/owned: Apply failed with 1 conflict: conflict with "terraform": .spec.description\n--force-conflicts takes what others own; or leave it out, or say the same\n',
    });
    expect((await apply('--force-conflicts')).out).toBe('zone/owned configured\n');
    const { body } = await api.ask('GET', `${V1}/zones/owned`);
    expect(body.metadata.managedFields.map((one: { manager: string }) => one.manager)).toEqual(['plumb']);
  });

  test('what is declared no more goes, and stays where another owns it: diff says by whom', async () => {
    await plumb(['apply', '-f', '-', '--no-wait'], owned('description: ours', 'mine: x, both: x'));
    await by('terraform', { metadata: { name: 'owned', labels: { both: 'x' } } });
    const less = owned('description: ours');
    expect((await plumb(['diff', '-f', '-'], less)).out).toBe(
      '~ zone/owned\n  - metadata.labels.mine: "x"\n    metadata.labels.both: stays, owned by "terraform"\n',
    );
    await plumb(['apply', '-f', '-', '--no-wait'], less);
    const { body } = await api.ask('GET', `${V1}/zones/owned`);
    expect(body.metadata.labels).toEqual({ both: 'x' });
    expect((await plumb(['diff', '-f', '-'], less)).out).toBe('');
  });

  test('what a plumb of before applied is taken over', async () => {
    const metadata = {
      name: 'before',
      labels: { mine: 'x', gone: 'x' },
      annotations: { 'plumb.dev/applied': '{"labels":["mine","gone"],"annotations":[]}' },
    };
    await api.ask('POST', `${V1}/zones`, {
      body: { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata, spec: { description: 'x' } },
      headers: { 'user-agent': 'plumb' },
    });
    const manifest = 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: before, labels: {mine: x}}\n';
    expect((await plumb(['apply', '-f', '-', '--no-wait'], manifest)).out).toBe('zone/before configured\n');
    const { body } = await api.ask('GET', `${V1}/zones/before`);
    expect(body).toMatchObject({ metadata: { labels: { mine: 'x' } }, spec: {} });
    expect(body.metadata).not.toHaveProperty('annotations');
    expect(body.metadata.managedFields).toMatchObject([{ manager: 'plumb', operation: 'Apply' }]);
  });
});
