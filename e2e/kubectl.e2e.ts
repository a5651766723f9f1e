/** Plain kubectl against the API: every verb that people use. What controllers do is done by a stand-in. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Control, startControl } from './kubectl/control.ts';
import { kubectlOf } from './kubectl/kubectl.ts';
import { FAIL, HOLD } from './kubectl/stand-in.ts';

const present = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!present && process.env.CI) throw new Error('kubectl is missing, and in CI nothing may be skipped');

const ESTATE = `
apiVersion: plumb.dev/v1
kind: Zone
metadata: {name: home}
---
apiVersion: plumb.dev/v1
kind: InstanceOffering
metadata: {name: small}
spec: {cpus: 1, memoryMiB: 128}
---
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: web-0, labels: {tier: web}}
spec:
  zone: home
  offering: small
  image: tiny
  interfaces: [{name: eth0, l3Network: lab, addresses: [10.20.0.11]}]
`;

describe.skipIf(!present)('kubectl', () => {
  let control: Control;
  beforeAll(async () => {
    control = await startControl();
  });
  afterAll(() => control?.close());

  const { kubectl, expectOk } = kubectlOf(() => control);

  test('knows the server, its resources and their short names', async () => {
    expect(await expectOk('version')).toContain('Server Version: v1.32.0+plumb');
    const resources = await expectOk('api-resources --api-group=plumb.dev');
    expect(resources).toMatch(/^instances +vm +plumb\.dev\/v1 +true +Instance$/m);
    expect(resources).toMatch(/^zones +zn +plumb\.dev\/v1 +false +Zone$/m);
  });

  test('applies, again without a change, and with one', async () => {
    expect(await expectOk('apply -f -', ESTATE)).toBe(
      'zone.plumb.dev/home created\ninstanceoffering.plumb.dev/small created\ninstance.plumb.dev/web-0 created\n',
    );
    expect((await expectOk('apply -f -', ESTATE)).match(/unchanged/g)).toHaveLength(3);
    const larger = ESTATE.replace('memoryMiB: 128', 'memoryMiB: 256');
    expect(await expectOk('apply -f -', larger)).toContain('instanceoffering.plumb.dev/small configured');
    expect(await expectOk('get io small -o jsonpath={.spec.memoryMiB}')).toBe('256');
  });

  test('an applied field that is taken out goes, with its default in its place', async () => {
    const stopped = `${ESTATE.trimEnd()}\n  power: Stopped\n  sshKeys: [ssh-ed25519 AAAA a]\n`;
    await expectOk('apply -f -', stopped);
    expect(await expectOk('get vm web-0 -o jsonpath={.spec.power}')).toBe('Stopped');
    await expectOk('apply -f -', ESTATE);
    expect(await expectOk('get vm web-0 -o jsonpath={.spec.power}{.spec.sshKeys}')).toBe('Running');
  });

  test('diff shows what apply would change, and changes nothing', async () => {
    expect((await kubectl('diff -f -', ESTATE.replace('memoryMiB: 128', 'memoryMiB: 512'))).stdout).toMatch(
      /-\s+memoryMiB: 128\n\+\s+memoryMiB: 512/,
    );
    const same = await kubectl('diff -f -', ESTATE);
    expect(same).toMatchObject({ code: 0, stdout: '' });
    const fresh = await kubectl('diff -f -', ESTATE.replace('name: home', 'name: away'));
    expect(fresh.code).toBe(1);
    expect(fresh.stdout).toContain('+  name: away');
    expect((await kubectl('get zone away')).code).toBe(1);
  });

  test('a server dry run is validated and changes nothing', async () => {
    const out = await expectOk('apply --dry-run=server -f -', ESTATE.replace('name: home', 'name: away'));
    expect(out).toContain('zone.plumb.dev/away created (server dry run)');
    expect((await kubectl('get zone away')).stderr).toContain('NotFound');
  });

  test('get prints tables, wide, YAML, JSON, names and selections', async () => {
    await expectOk('wait --for=condition=Ready vm/web-0 --timeout=30s');
    expect(await expectOk('get vm')).toMatch(
      /^NAME +POWER +HOST +ADDRESSES +READY +REASON +AGE\nweb-0 .*True +AsDeclared/,
    );
    expect(await expectOk('get vm -o wide')).toMatch(/OFFERING +IMAGE\nweb-0 .*small +tiny/);
    expect(await expectOk('get vm web-0 -o yaml')).toContain('\nkind: Instance\n');
    expect(JSON.parse(await expectOk('get vm,zones -o json')).items).toHaveLength(2);
    expect(await expectOk('get zones -o name')).toBe('zone.plumb.dev/home\n');
    expect(await expectOk('get vm -l tier=web -o name')).toBe('instance.plumb.dev/web-0\n');
    expect(await expectOk('get vm -l tier!=web -o name')).toBe('');
    expect(await expectOk('get vm -A --field-selector metadata.name=web-0 -o name')).toBe('instance.plumb.dev/web-0\n');
    expect(await expectOk('get plumb')).toContain('zone.plumb.dev/home');
    expect(await expectOk('get vm --chunk-size=1 --no-headers')).toMatch(/^web-0/);
    expect((await kubectl('get vm none')).stderr).toContain('instances.plumb.dev "none" not found');
  });

  test('get -w shows changes as they come', async () => {
    const watching = control.start('kubectl', ['get', 'zones', '-w']);
    try {
      await watching.until(/^home /m);
      await expectOk('create -f -', 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: watched}\nspec: {}\n');
      expect(await watching.until(/^watched +True/m)).toMatch(/^NAME +READY +AGE\nhome /);
    } finally {
      await watching.stop();
    }
    await expectOk('delete zone watched');
  });

  test('describe shows the object, its conditions and its events', async () => {
    const text = await expectOk('describe vm web-0');
    expect(text).toMatch(/Kind: +Instance/);
    expect(text).toMatch(/Reason: +AsDeclared/);
    expect(text).toMatch(/Events:[\s\S]*Normal +AsDeclared .*web-0 is as declared/);
    expect(await expectOk('get events')).toContain('instance/web-0');
    expect(await expectOk('events --for instance/web-0')).toContain('web-0 is as declared');
  });

  test('explain reads the descriptions of the kinds', async () => {
    expect(await expectOk('explain instance')).toContain('A virtual machine');
    const field = await expectOk('explain vm.spec.interfaces.addresses');
    expect(field).toContain('FIELD: addresses <[]string>');
    expect(await expectOk('explain zone --recursive')).toContain('description\t<string>');
    expect(await expectOk('explain namespace.metadata')).toContain('labels');
  });

  test('wait ends when a condition holds, and at its time limit when none does', async () => {
    expect(await expectOk('wait --for=condition=Ready vm/web-0 --timeout=30s')).toContain('condition met');
    const stuck = `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: stuck, annotations: {${FAIL}: "no way"}}\n`;
    await expectOk('apply -f -', stuck);
    const late = await kubectl('wait --for=condition=Ready zone/stuck --timeout=1s');
    expect(late.stderr).toContain('timed out');
    expect(await expectOk('wait --for=condition=Stalled zone/stuck --timeout=30s')).toContain('condition met');
    await expectOk('delete zone stuck');
  });

  test('label, annotate, patch, edit, replace', async () => {
    expect(await expectOk('label vm web-0 rack=a')).toContain('labeled');
    expect(await expectOk('label vm web-0 rack-')).toContain('unlabeled');
    expect(await expectOk('annotate vm web-0 note=hello')).toContain('annotated');
    const merge = ['patch', 'vm', 'web-0', '--type=merge', '-p', '{"spec":{"power":"Stopped"}}'];
    expect((await control.run('kubectl', merge)).stdout).toContain('patched');
    const json = [
      'patch',
      'vm',
      'web-0',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/power","value":"Running"}]',
    ];
    expect((await control.run('kubectl', json)).stdout).toContain('patched');
    const status = [
      'patch',
      'vm',
      'web-0',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"power":"Running"}}',
    ];
    expect((await control.run('kubectl', status)).stdout).toContain('patched');
    const strategic = await control.run('kubectl', ['patch', 'vm', 'web-0', '-p', '{"spec":{}}']);
    expect(strategic.stderr).toContain('application/merge-patch+json');

    const editor = await control.file('edit.sh', '#!/bin/sh\nsed -i "s/power: Running/power: Stopped/" "$1"\n');
    const edited = await control.run('env', [`KUBE_EDITOR=sh ${editor}`, 'kubectl', 'edit', 'vm', 'web-0']);
    expect(edited.stdout).toContain('edited');
    const read = await expectOk('get vm web-0 -o yaml');
    expect(read).toContain('power: Stopped');
    expect(await expectOk('replace -f -', read.replace('power: Stopped', 'power: Running'))).toContain('replaced');
    expect((await kubectl('replace -f -', read)).stderr).toContain('Conflict');
  });

  test('mistakes are named, all at once, with the field', async () => {
    // What was replaced with a resourceVersion bears it in the annotation: kubectl would take it away, and the server refuses that.
    await expectOk('apply set-last-applied --create-annotation=true -f -', ESTATE);
    const unknown = await kubectl('apply -f -', ESTATE.replace('offering: small', 'ofering: small'));
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('unknown field "spec.ofering"')]);
    const { stderr, code } = await kubectl(
      'apply -f -',
      ESTATE.replace('offering: small', 'offering: small\n  power: "on"').replace('10.20.0.11', '10.20.0.999'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('The Instance "web-0" is invalid');
    expect(stderr).toContain('spec.power: Unsupported value: "on": supported values: "Running", "Stopped"');
    expect(stderr).toContain('spec.interfaces[0].addresses[0] in body must be of type ipv4: "10.20.0.999"');
    const moved = await kubectl('apply -f -', ESTATE.replace('zone: home', 'zone: other'));
    expect(moved.stderr).toContain('spec.zone: Invalid value: is fixed when the object is created');
  });

  test('namespaces: create, apply, use, delete with all that is in them', async () => {
    expect(await expectOk('create namespace lab')).toContain('namespace/lab created');
    const declared = (tier: string) =>
      `apiVersion: v1\nkind: Namespace\nmetadata: {name: lab2, labels: {tier: ${tier}}}\n`;
    await expectOk('apply -f -', declared('a'));
    expect(await expectOk('apply -f -', declared('b'))).toContain('configured');
    expect(await expectOk('get ns lab2 --show-labels')).toContain('tier=b');
    expect(await expectOk('describe ns lab')).toContain('Active');
    const instance = ESTATE.split('---').at(-1)!;
    await expectOk('apply -n lab -f -', instance);
    expect(await expectOk('get vm -A')).toMatch(/^lab +web-0/m);
    expect(await expectOk('get ns -l kubernetes.io/metadata.name=lab')).toContain('lab');
    expect(await expectOk('delete ns lab lab2 --wait --timeout=60s')).toContain('namespace "lab" deleted');
    expect((await kubectl('apply -n lab -f -', instance)).stderr).toContain('namespaces "lab" not found');
  });

  test('who am I, and what may I do', async () => {
    expect(await expectOk('auth whoami')).toMatch(/Username +admin/);
    expect(await expectOk('auth can-i delete instances')).toBe('yes\n');
    expect(await expectOk('auth can-i --list')).toContain('*.*');
    const stranger = await control.run('kubectl', ['--token=nobody', 'get', 'zones']);
    expect(stranger.stderr).toMatch(/Unauthorized|logged in|token is not known/);
  });

  test('what get prints of several is applied and replaced as it is, and a wrong kind is said as such', async () => {
    const list = () => expectOk('get zones,instanceofferings -o yaml');
    expect(await list()).toContain('kind: List');
    expect((await expectOk('apply -f -', await list())).match(/configured|unchanged/g)).toHaveLength(2);
    expect((await expectOk('replace -f -', await list())).match(/replaced/g)).toHaveLength(2);
    const unchanged = await control.run('env', ['KUBE_EDITOR=true', 'kubectl', 'edit', 'zones,instanceofferings']);
    expect(`${unchanged.stdout}${unchanged.stderr}`).toContain('Edit cancelled, no changes made.');
    const wrong = await kubectl('apply -f -', 'apiVersion: plumb.dev/v1\nkind: Zones\nmetadata: {name: a}\n');
    expect(wrong.stderr).toContain('no matches for kind "Zones" in version "plumb.dev/v1"');
  });

  test('create with a generated name, and --raw', async () => {
    const out = await expectOk(
      'create -f -',
      'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {generateName: zone-}\nspec: {}\n',
    );
    const name = /zone\.plumb\.dev\/(zone-\w{5}) created/.exec(out)?.[1];
    expect(name).toBeDefined();
    expect(await expectOk('get --raw /readyz')).toBe('ok');
    await expectOk(`delete zone ${name}`);
  });

  test('delete waits until the finalizer is gone', async () => {
    const held = `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: held, annotations: {${HOLD}: ""}}\n`;
    await expectOk('apply -f -', held);
    expect((await kubectl('delete zone held --timeout=1s')).stderr).toContain('timed out');
    expect(await expectOk('get zone held -o jsonpath={.metadata.deletionTimestamp}')).toMatch(/Z$/);
    const [deleted] = await Promise.all([
      kubectl('delete zone held --ignore-not-found'),
      kubectl(`annotate zone held ${HOLD}-`),
    ]);
    expect(deleted.code).toBe(0);
    expect((await kubectl('get zone held')).stderr).toContain('NotFound');
    expect(await expectOk('delete -f - --cascade=foreground', ESTATE)).toContain('instance.plumb.dev "web-0" deleted');
    expect((await kubectl('get plumb')).stdout).toBe('');
  });
});

test.skipIf(!present)('kubectl waits for a server that is busy', async () => {
  const limits = { ...defaultServerLimits, systemRequests: 1, systemRequestsWaiting: 0 };
  const control = await startControl({ limits });
  try {
    const token = /token: "?([^"\s]+)/.exec(await readFile(control.kubeconfig, 'utf8'))![1];
    // The only seat is taken by a body that is long in coming.
    const taker = request(`${control.url}/apis/plumb.dev/v1/zones`, {
      method: 'POST',
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': '100' },
    });
    taker.on('error', () => {});
    await new Promise<void>((resolve) => taker.write('{', () => resolve()));
    const zone = 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: patient}\n';
    const applying = control.run('kubectl', ['apply', '-v=7', '-f', '-'], zone);
    const kubectl = await Promise.race([applying, new Promise((resolve) => setTimeout(resolve, 1500, 'still waits'))]);
    expect(kubectl).toBe('still waits');
    taker.destroy();
    const { code, stdout, stderr } = await applying;
    expect(stdout, stderr).toBe('zone.plumb.dev/patient created\n');
    expect(code).toBe(0);
    expect(stderr).toContain('429');
  } finally {
    await control.close();
  }
});
