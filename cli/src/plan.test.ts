/** plan and apply of a plan, on a whole server. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, serve } from '@plumb/reconciler/main.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ran, run } from './testing/run.ts';

let folder: string;
let plane: ControlPlane;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-plan-'));
  const { promise: ready, resolve: onReady, reject: onFatal } = Promise.withResolvers<void>();
  const listen = { host: '127.0.0.1', port: 0 };
  plane = await serve({ dataDir: join(folder, 'data'), listen, log: () => {}, onFatal, onReady });
  await ready;
});
afterAll(async () => {
  await plane?.close();
  rmSync(folder, { recursive: true, force: true });
});

const plumb = (args: string[], input = ''): Promise<Ran> =>
  run(args, { input, env: { KUBECONFIG: plane.kubeconfigFile } });
const object = (kind: string, name: string, spec: object, metadata: object = {}) =>
  `${JSON.stringify({ apiVersion: 'plumb.dev/v1', kind, metadata: { name, ...metadata }, spec })}\n`;
const zone = (name: string, description: string, metadata?: object) => object('Zone', name, { description }, metadata);
const apply = (text: string, ...more: string[]) => plumb(['apply', '-f', '-', '--no-wait', ...more], text);
const file = (name: string) => join(folder, name);

describe('plan', () => {
  test('says what is created, changed and left, with names, and what sums it up', async () => {
    await apply(zone('old', 'before') + zone('same', 'x'));
    const planned = await plumb(['plan', '-f', '-'], zone('new', 'x') + zone('old', 'after') + zone('same', 'x'));
    expect(planned).toEqual({
      code: 0,
      err: '',
      out: [
        '  + zone/new will be created',
        '      + spec.description: "x"',
        '',
        '  ~ zone/old will be changed',
        '      ~ spec.description: "before" -> "after"',
        '',
        'Plan: 1 to add, 1 to change, 0 to destroy, 1 unchanged.',
        '',
      ].join('\n'),
    });
    expect((await plumb(['plan', '-f', '-'], zone('same', 'x'))).out).toBe('No changes: 1 as declared.\n');
  });

  test('what waits, and what can never be, is said', async () => {
    const instance = (namespace: string) =>
      object(
        'Instance',
        'web-0',
        { zone: 'none', offering: 'o', image: 'i', interfaces: [{ name: 'e', l3Network: 'l' }] },
        { namespace },
      );
    const waits = await plumb(['plan', '-f', '-'], instance('default'));
    expect(waits).toMatchObject({
      code: 0,
      out: expect.stringMatching(/! waits: ReferenceNotFound: .*\n\nPlan: .* 1 waiting\.\n$/s),
    });
    const never = await plumb(['plan', '-f', '-'], instance('nowhere'));
    expect(never).toMatchObject({
      code: 1,
      out: expect.stringContaining('! cannot be done: NamespaceNotFound: there is no project nowhere'),
    });
    const project = '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"nowhere"}}\n';
    const both = await plumb(['plan', '-f', '-'], project + instance('nowhere'));
    expect(both.out).toContain('  + namespace/nowhere will be created\n');
    expect(both.out).not.toContain('NamespaceNotFound');
  });

  test('secrets are not shown, in text or as an object', async () => {
    const spec = {
      zone: 'z',
      offering: 'o',
      image: 'i',
      interfaces: [{ name: 'e', l3Network: 'l' }],
      userData: 'hunter2',
    };
    const text = await plumb(['plan', '-f', '-'], object('Instance', 'secret', spec));
    expect(text.out).toContain('+ spec.userData: (not shown)');
    const json = await plumb(['plan', '-f', '-', '-o', 'json'], object('Instance', 'secret', spec));
    expect(JSON.parse(json.out)).toMatchObject({ kind: 'PlanReview', status: { objects: [{ action: 'Create' }] } });
    expect(text.out + json.out).not.toContain('hunter2');
  });

  test('what is wrong with an object is said by its name', async () => {
    const network = (vni: number) => object('L2Network', 'fixed', { zone: 'z', type: 'vxlan', vni });
    await apply(network(7));
    const { code, err } = await plumb(['plan', '-f', '-'], zone('same', 'x') + network(8));
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining('  l2network/fixed: spec.vni: cannot be changed from 7 to 8'),
    });
  });

  test('--detailed-exitcode tells by the exit code, as Terraform does', async () => {
    const code = async (text: string) => (await plumb(['plan', '-f', '-', '--detailed-exitcode'], text)).code;
    expect(await code(zone('same', 'x'))).toBe(0);
    expect(await code(zone('same', 'y'))).toBe(2);
  });
});

describe('a plan that is kept', () => {
  test('is applied, once: then the world has moved', async () => {
    await plumb(['plan', '-f', '-', '--out', file('one')], zone('kept', 'x'));
    expect(statSync(file('one')).mode & 0o077).toBe(0);
    chmodSync(file('one'), 0o644);
    await plumb(['plan', '-f', '-', '--out', file('one')], zone('kept', 'x'));
    expect(statSync(file('one')).mode & 0o077).toBe(0);
    expect(await plumb(['apply', '--plan', file('one'), '--no-wait'])).toMatchObject({
      code: 0,
      out: 'zone/kept created\n',
    });
    const again = await plumb(['apply', '--plan', file('one'), '--no-wait']);
    expect(again).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/revision \d+, the world has moved: .*zone\/kept.*plan again/),
    });
  });

  test('is outdated when what it was made from has changed', async () => {
    await apply(zone('moved', 'a'));
    await plumb(['plan', '-f', '-', '--out', file('two')], zone('moved', 'b'));
    // What it does not speak of may change.
    await apply(zone('other', 'x'));
    expect((await plumb(['apply', '--plan', file('two'), '--dry-run=server'])).code).toBe(0);
    await apply(zone('moved', 'c'));
    const outdated = await plumb(['apply', '--plan', file('two'), '--no-wait']);
    expect(outdated).toMatchObject({ code: 1, out: '', err: expect.stringContaining('zone/moved') });
    expect((await plumb(['get', 'zone', 'moved', '-o', 'json'])).out).toContain('"c"');
  });

  test('that is none is refused', async () => {
    writeFileSync(file('none'), '{"kind":"List"}');
    for (const name of ['none', 'missing'])
      expect((await plumb(['apply', '--plan', file(name)])).err).toContain(
        name === 'none' ? 'is no plan' : 'cannot be read',
      );
    expect((await plumb(['apply', '--plan', file('one'), '-f', '-'])).code).toBe(2);
    expect(readFileSync(file('one'), 'utf8')).toContain('"PlanReview"');
  });
});

describe('--prune', () => {
  test('deletes what was applied, is selected and is declared no more; nothing without a selector', async () => {
    const mine = { labels: { app: 'shop' } };
    await apply(zone('p-1', 'x', mine) + zone('p-2', 'x', mine) + zone('p-3', 'x', { labels: { app: 'other' } }));
    for (const selector of [[], ['-l', ' ']])
      expect((await apply(zone('p-1', 'x', mine), '--prune', ...selector)).code).toBe(2);
    const args = ['--prune', '-l', 'app=shop'];
    const planned = await plumb(['plan', '-f', '-', ...args], zone('p-1', 'x', mine));
    expect(planned.out).toBe(
      '  - zone/p-2 will be deleted\n\nPlan: 0 to add, 0 to change, 1 to destroy, 1 unchanged.\n',
    );
    const dry = await apply(zone('p-1', 'x', mine), ...args, '--dry-run=server');
    expect(dry.out).toBe('zone/p-1 unchanged (server dry run)\nzone/p-2 pruned (server dry run)\n');
    const real = await plumb(['apply', '-f', '-', ...args], zone('p-1', 'x', mine));
    expect(real).toMatchObject({ code: 0, out: expect.stringContaining('zone/p-2 pruned\n') });
    expect((await plumb(['get', 'zones', '-o', 'name'])).out).toMatch(/zone\/p-1\nzone\/p-3\n/);
  });
});

test('what is protected is deleted by none of the ways of the command, and each says why', async () => {
  const kept = (more: object = {}) =>
    object('Zone', 'protected', { deletionProtection: true, ...more }, { labels: { app: 'kept' } });
  await apply(kept());
  const why = 'Zone protected is not deleted: spec.deletionProtection is true; set it to false, then delete it';
  for (const args of [
    ['zone', 'protected'],
    ['-f', '-'],
    ['zones', '-l', 'app=kept'],
    ['zone/protected', '--cascade', '--yes'],
  ])
    expect(await plumb(['delete', ...args], kept())).toMatchObject({ code: 1, err: expect.stringContaining(why) });
  const prune = ['-f', '-', '--prune', '-l', 'app=kept'];
  const planned = await plumb(['plan', ...prune], zone('same', 'x'));
  expect(planned).toMatchObject({
    code: 1,
    out: expect.stringContaining(`! cannot be done: DeletionProtected: ${why}`),
  });
  expect(await plumb(['apply', ...prune, '--no-wait'], zone('same', 'x'))).toMatchObject({
    code: 1,
    err: expect.stringContaining(why),
  });
  expect((await plumb(['get', 'zone', 'protected', '-o', 'name'])).code).toBe(0);
  await apply(kept({ deletionProtection: false }));
  expect((await plumb(['delete', 'zone', 'protected'])).code).toBe(0);
});

describe('--dry-run', () => {
  test.each(['client', 'server'])('%s writes nothing', async (how) => {
    const { code, out } = await apply(zone(`dry-${how}`, 'x'), `--dry-run=${how}`);
    expect({ code, out }).toEqual({ code: 0, out: `zone/dry-${how} created (${how} dry run)\n` });
    expect((await plumb(['get', 'zone', `dry-${how}`])).code).toBe(1);
  });

  test('anything else is refused before anything is sent', async () => {
    expect((await apply(zone('dry', 'x'), '--dry-run=all')).code).toBe(2);
    expect((await plumb(['get', 'zone', 'dry'])).code).toBe(1);
  });
});
