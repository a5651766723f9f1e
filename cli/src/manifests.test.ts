import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeManifest, readManifests } from './manifests.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-manifests-'));
});
afterEach(() => rm(folder, { recursive: true }));

const zone = 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: home}\n';
const read = (text: string) => readManifests(['-'], 'default', async () => text);

async function mistakes(text: string): Promise<string[]> {
  const error = await read(text).catch((thrown) => thrown);
  expect(error).toMatchObject({ reason: 'BadManifest', retry: 'terminal' });
  return error.fields.map(({ field, message }: { field: string; message: string }) => `${field}: ${message}`);
}

describe('readManifests', () => {
  test('documents of files, folders and standard input, in order', async () => {
    await mkdir(join(folder, 'all'));
    await writeFile(join(folder, 'all', 'b.yaml'), `${zone}---\n# nothing\n---\n${zone.replace('home', 'away')}`);
    await writeFile(
      join(folder, 'all', 'a.json'),
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab' } }),
    );
    await writeFile(join(folder, 'all', 'notes.txt'), 'not a manifest');
    const manifests = await readManifests([join(folder, 'all'), '-'], 'default', async () =>
      zone.replace('home', 'stdin'),
    );
    expect(manifests.map(describeManifest)).toEqual(['namespace/lab', 'zone/home', 'zone/away', 'zone/stdin']);
  });

  test('a List is its items, and a namespace is filled in where none is named', async () => {
    const instance = (name: string, namespace: string) =>
      `- apiVersion: plumb.dev/v1\n  kind: Instance\n  metadata: {name: ${name}${namespace}}\n` +
      '  spec: {zone: z, offering: o, image: i, interfaces: [{name: e, l3Network: l}]}\n';
    const text = `apiVersion: v1\nkind: List\nitems:\n${instance('a', '')}${instance('b', ', namespace: lab')}`;
    const manifests = await readManifests(['-'], 'mine', async () => text);
    expect(manifests.map(({ namespace }) => namespace)).toEqual(['mine', 'lab']);
    expect(manifests[0]!.object.spec).not.toHaveProperty('power');
    expect(manifests[0]!.defaulted.spec).toHaveProperty('power', 'Running');
  });

  test('every mistake of every document, with its line', async () => {
    const text = [
      'apiVersion: plumb.dev/v1',
      'kind: InstanceOffering',
      'metadata:',
      '  name: Small',
      'spec:',
      '  cpus: 0',
      '---',
      'apiVersion: plumb.dev/v1',
      'kind: Zoone',
      'metadata: {name: a}',
      '---',
      'apiVersion: v1',
      'kind: Zone',
      'metadata: {name: a}',
      '---',
      '- not an object',
    ].join('\n');
    expect(await mistakes(text)).toEqual([
      expect.stringMatching(/^standard input:4: metadata\.name must match/),
      expect.stringMatching(/^standard input:5: spec\.memoryMiB is required/),
      'standard input:6: spec.cpus must be at least 1, but is 0',
      'standard input:9: there is no kind "Zoone" in "plumb.dev/v1": did you mean Zone?',
      'standard input:13: there is no kind "Zone" in "v1": write apiVersion: plumb.dev/v1',
      'standard input:16: is no object: it needs apiVersion, kind and metadata',
    ]);
  });

  test('the same object twice is a mistake that names both places', async () => {
    expect(await mistakes(`${zone}---\n${zone}`)).toEqual([
      'standard input:7: zone/home is declared at standard input:3 too',
    ]);
  });

  test('broken YAML, keys that come twice, unknown tags', async () => {
    expect((await mistakes('a: [1\nb: 2'))[0]).toMatch(/^standard input:\d: /);
    expect((await mistakes('a: 1\na: 2'))[0]).toMatch(/^standard input:2: Map keys must be unique/);
    expect((await mistakes('a: !ruby/object x'))[0]).toMatch(/^standard input:1: /);
  });

  test('aliases and merge keys are understood, and bombs of them are not', async () => {
    const merged = `${zone}spec: &s {description: x}\n---\napiVersion: plumb.dev/v1\nkind: Zone\nmetadata:\n  <<: {name: merged}\nspec: {}\n`;
    expect((await read(merged)).map(({ name }) => name)).toEqual(['home', 'merged']);
    const levels = Array.from({ length: 9 }, (_, i) => `l${i}: &l${i} [${Array(9).fill(i ? `*l${i - 1}` : 'x')}]`);
    await expect(read(levels.join('\n'))).rejects.toThrow();
  });

  test('what is not there is said', async () => {
    await expect(readManifests([join(folder, 'none')], 'default', async () => '')).rejects.toThrow(/there is no file/);
    await expect(readManifests([folder], 'default', async () => '')).rejects.toThrow(/holds no/);
    await expect(readManifests([], 'default', async () => '')).rejects.toThrow(/-f FILE/);
  });
});

describe('scalars that two readers understand differently are refused with their line', () => {
  test.each(['On', 'y', 'No', 'off', '017', '08', '-007', '1_000', '0b11', '.inf', '12345678901234567890'])(
    '%s',
    async (text) => {
      const [mistake] = await mistakes(`${zone}spec:\n  description: ${text}\n`);
      expect(mistake).toMatch(/^standard input:5: /);
      expect(mistake).toContain(text);
    },
  );

  test.each(['on: 1', 'y: 1'])('as a key: %s', async (text) => {
    expect((await mistakes(`${zone}spec: {${text}}`))[0]).toMatch(/^standard input:4: /);
  });

  test.each(['"On"', "'017'", 'online', '52:54:00:12:34:56', '10.20.0.0/24', '2026-01-01', '0x1f', 'yes please'])(
    '%s is not one of them',
    async (text) => {
      const error = await read(`${zone}spec:\n  description: ${text}\n`).catch((thrown) => thrown);
      // A number is no description, and that is all that may be wrong.
      const fields: { message: string }[] = error.fields ?? [];
      expect(fields.filter(({ message }) => !message.includes('must be a string'))).toEqual([]);
    },
  );
});
