import type { PlumbObject } from '@plumb/schemas';
import { APPLIED } from '@plumb/schemas/project/field-changes.ts';
import { expect, test } from 'vitest';
import { fieldChanges, patchFor } from './changes.ts';
import { difference } from './commands/diff.ts';
import { readManifests } from './manifests.ts';

const text = (spec: string, metadata = '') => `
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: web-0${metadata}}
spec: {zone: z, offering: o, image: i, interfaces: [{name: eth0, l3Network: a}]${spec}}
`;

async function manifest(spec = '', metadata = '') {
  const [read] = await readManifests(['-'], 'default', async () => Buffer.from(text(spec, metadata)));
  return read!;
}

async function stored(
  spec = '',
  metadata = '',
  change: (object: PlumbObject) => void = () => {},
): Promise<PlumbObject> {
  const { defaulted } = await manifest(spec, metadata);
  const object = structuredClone(defaulted);
  object.metadata.uid = 'u-1';
  change(object);
  return object;
}

test('what is as declared needs no patch, whatever others added to its metadata', async () => {
  const object = await stored('', '', ({ metadata }) => {
    metadata.labels = { theirs: 'x' };
    metadata.annotations = { theirs: 'y' };
    metadata.finalizers = ['plumb.dev/instance'];
  });
  expect(patchFor(await manifest(), object)).toBeUndefined();
  expect(difference(await manifest(), object)).toBe('');
});

test('a field that is taken out goes, and its default comes back', async () => {
  const patch = patchFor(
    await manifest(),
    await stored(', power: Stopped, sshKeys: [ssh-ed25519 AAAA], spread: {group: g}'),
  );
  expect(patch).toEqual({ metadata: { uid: 'u-1' }, spec: { power: 'Running', sshKeys: null, spread: null } });
});

test('a label that was declared and is taken out goes; those of others stay', async () => {
  const object = await stored('', '', ({ metadata }) => {
    metadata.labels = { mine: 'a', theirs: 'x' };
    metadata.annotations = { [APPLIED]: '{"labels":["mine"],"annotations":[]}' };
  });
  expect(patchFor(await manifest(), object)).toEqual({
    metadata: { uid: 'u-1', labels: { mine: null }, annotations: { [APPLIED]: null } },
  });
  expect(patchFor(await manifest('', ', labels: {mine: b}'), object)).toEqual({
    metadata: { uid: 'u-1', labels: { mine: 'b' } },
  });
});

test('differences are named field by field, items of list maps by their key', async () => {
  const wanted = await manifest(', sshKeys: [ssh-ed25519 AAAA], spread: {group: g}');
  const object = await stored(', power: Stopped, rootDiskMiB: 5', '', ({ spec }) => {
    spec.interfaces = [
      { name: 'eth0', l3Network: 'b' },
      { name: 'eth1', l3Network: 'c' },
    ];
  });
  expect(difference(wanted, object)).toBe(
    `~ instance/web-0
  ~ spec.interfaces[eth0].l3Network: "b" → "a"
  - spec.interfaces[eth1].name: "eth1"
  - spec.interfaces[eth1].l3Network: "c"
  ~ spec.power: "Stopped" → "Running"
  - spec.rootDiskMiB: 5
  + spec.sshKeys: ["ssh-ed25519 AAAA"]
  + spec.spread.group: "g"
`,
  );
});

test('items of a list map in another order are a difference', async () => {
  const two =
    (first: string, second: string) =>
    ({ spec }: PlumbObject) => {
      spec.interfaces = [first, second].map((name) => ({ name, l3Network: 'a' }));
    };
  const wanted = await manifest();
  two('eth0', 'eth1')(wanted.defaulted);
  const changes = fieldChanges(wanted, await stored('', '', two('eth1', 'eth0')));
  expect(changes.map(({ field }) => field)).toEqual(['spec.interfaces']);
});

test('sensitive values are not shown', async () => {
  const shown = [
    difference(await manifest(', userData: "hunter2"'), await stored()),
    difference(await manifest(), await stored(', userData: "hunter2"')),
    difference(await manifest(', userData: "hunter2"'), await stored(', userData: "hunter3"')),
    difference(await manifest(', userData: "hunter2"'), undefined),
  ];
  for (const part of shown) {
    expect(part).toContain('spec.userData');
    expect(part).not.toContain('hunter');
  }
});

test('what is new is shown by its leaves', async () => {
  expect(difference(await manifest('', ', labels: {tier: web}'), undefined)).toContain(
    '+ instance/web-0\n  + metadata.labels.tier: "web"\n  + spec.zone: "z"\n',
  );
});

test('a built-in kind is compared by its own fields, and no value of a Secret is told', async () => {
  const read = async (fields: string) => {
    const yaml = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n${fields}`;
    return (await readManifests(['-'], 'default', async () => Buffer.from(yaml)))[0]!;
  };
  const { defaulted } = await read('data: {a: b25l, b: dHdv}');
  const object = { ...defaulted, metadata: { ...defaulted.metadata, uid: 'u-1' } };
  expect(patchFor(await read('stringData: {a: one, b: two}'), object)).toBeUndefined();
  const changed = await read('stringData: {a: three}');
  expect(patchFor(changed, object)).toEqual({ metadata: { uid: 'u-1' }, data: { a: 'dGhyZWU=', b: null } });
  const told = difference(changed, object);
  expect(told).toContain('data');
  for (const value of ['three', 'dGhyZWU=', 'b25l', 'dHdv']) expect(told).not.toContain(value);
});
