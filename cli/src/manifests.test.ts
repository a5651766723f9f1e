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
const read = (text: string) => readManifests(['-'], 'default', async () => Buffer.from(text));

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
      Buffer.from(zone.replace('home', 'stdin')),
    );
    expect(manifests.map(describeManifest)).toEqual(['namespace/lab', 'zone/home', 'zone/away', 'zone/stdin']);
  });

  test('a List is its items, and a namespace is filled in where none is named', async () => {
    const instance = (name: string, namespace: string) =>
      `- apiVersion: plumb.dev/v1\n  kind: Instance\n  metadata: {name: ${name}${namespace}}\n` +
      '  spec: {zone: z, offering: o, image: i, interfaces: [{name: e, l3Network: l}]}\n';
    const text = `apiVersion: v1\nkind: List\nitems:\n${instance('a', '')}${instance('b', ', namespace: lab')}`;
    const manifests = await readManifests(['-'], 'mine', async () => Buffer.from(text));
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
    await expect(readManifests([join(folder, 'none')], 'default', async () => Buffer.from(''))).rejects.toThrow(
      /there is no file/,
    );
    await expect(readManifests([folder], 'default', async () => Buffer.from(''))).rejects.toThrow(/holds no/);
    await expect(readManifests([], 'default', async () => Buffer.from(''))).rejects.toThrow(/-f FILE/);
  });
});

describe('what others write', () => {
  const json = (name: string) => JSON.stringify({ apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name } });

  test.each([
    ['on lines of their own', `${json('a')}\n${json('b')}\n`],
    ['without anything between them', `${json('a')}${json('b')}`],
    ['with document marks', `${json('a')}\n---\n${json('b')}\n---\n`],
    [
      'spread over lines, with braces in texts',
      `${JSON.stringify(JSON.parse(json('a')), null, 2)}\n\n${json('b').replace('{"name"', '{"annotations":{"x":"}\\\\\\"{"},"name"')}`,
    ],
  ])('JSON objects %s', async (_, text) => {
    expect((await read(text)).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('what is wrong in a stream of JSON is named by its line, once', async () => {
    expect(await mistakes(`${json('a')}\n${json('b')}\n${json('Bad')}\n`)).toEqual([
      expect.stringMatching(/^standard input:3: metadata\.name must match/),
    ]);
    expect(await mistakes(`${json('a')}\n{"kind": "Zone",\n`)).toEqual([
      expect.stringMatching(/^standard input:[23]: /),
    ]);
    expect(await mistakes(`${json('a')}\nrest\n`)).toEqual([expect.stringMatching(/^standard input:2: is no object/)]);
  });

  test.each([
    ['UTF-8 with a mark', Buffer.from(`\ufeff${zone}`)],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\ufeff${zone.replaceAll('\n', '\r\n')}`, 'utf16le')],
    ['UTF-16, the other way round', Buffer.from(`\ufeff${zone}`, 'utf16le').swap16()],
  ])('%s', async (_, bytes) => {
    expect((await readManifests(['-'], 'default', async () => bytes)).map(({ name }) => name)).toEqual(['home']);
  });

  test.each([
    [
      'Latin-1',
      Buffer.from(`${zone}spec: {description: "M\u00fcnchen"}\n`, 'latin1'),
      'standard input:4: is not UTF-8',
    ],
    ['half a character of UTF-16', Buffer.from([0xff, 0xfe, 0x61]), 'is not UTF-16LE text'],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), 'is UTF-32'],
  ])('%s is refused, not mended', async (_, bytes, sentence) => {
    await expect(readManifests(['-'], 'default', async () => bytes)).rejects.toThrow(sentence);
  });

  test('a list of one kind, as the API gives it', async () => {
    const list = { apiVersion: 'plumb.dev/v1', kind: 'ZoneList', metadata: {}, items: [{ metadata: { name: 'a' } }] };
    expect((await read(JSON.stringify(list))).map(describeManifest)).toEqual(['zone/a']);
  });

  test('a namespace on an object of the whole estate is cleared, as kustomize writes it', async () => {
    const [manifest] = await read(zone.replace('name: home', 'name: home, namespace: lab'));
    expect([manifest!.namespace, manifest!.object.metadata.namespace]).toEqual([undefined, undefined]);
  });

  test.each(['', '# nothing\n', '---\n---\n', 'apiVersion: v1\nkind: List\nitems: []\n'])(
    'of no object at all it is said: %j',
    async (text) => {
      await expect(read(text)).rejects.toThrow('there is no object in standard input');
    },
  );

  test.each([
    'a: b: c\n- x\n',
    'a: {\n b: 1\n',
    'metadata:\n  name: x\n spec: {\n',
    '\tx: 1\n',
    'a: "x\nb: 2\n',
    'a: [1,\nb: 2\n]}',
  ])('one mistake of YAML is one line: %j', async (text) => {
    expect(await mistakes(text)).toHaveLength(1);
    expect(await mistakes(`${text}\n---\n${text}`)).toHaveLength(2);
  });

  test('a kind without apiVersion', async () => {
    expect(await mistakes('kind: Zone\n')).toEqual([
      'standard input:1: apiVersion is required: write apiVersion: plumb.dev/v1',
    ]);
    expect(await mistakes('kind: Zoned\n')).toEqual(['standard input:1: apiVersion is required']);
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
