import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { kinds, zone } from '../index.ts';
import { editorSchema } from './editor.ts';
import { openApiDocument, openApiKind } from './openapi.ts';
import type { SchemaNode } from './validate-schema.ts';

interface Document {
  components: { schemas: Record<string, SchemaNode> };
  paths: Record<string, { patch: { parameters: { name: string }[]; [keyword: string]: unknown } }>;
}

const verbs = new Set(['get', 'list', 'create', 'update', 'patch', 'delete', 'watch']);
const document = openApiDocument({
  group: 'plumb.dev',
  version: 'v1',
  kinds: kinds.map((k) => openApiKind(k, verbs)),
}) as unknown as Document;

test('every kind and its list are defined under dotted names with their group, version and kind', () => {
  for (const kind of kinds) {
    const definition = document.components.schemas[`dev.plumb.v1.${kind.kind}`]!;
    expect(definition['x-kubernetes-group-version-kind']).toEqual([
      { group: 'plumb.dev', kind: kind.kind, version: 'v1' },
    ]);
    expect(definition.properties?.spec?.properties).toEqual(kind.spec.properties);
    expect(document.components.schemas[`dev.plumb.v1.${kind.kind}List`]?.properties?.items?.type).toBe('array');
  }
});

test('patch says its kind and takes dryRun and fieldValidation: what kubectl asks before it applies', () => {
  for (const kind of kinds) {
    const scope = kind.scope === 'Namespaced' ? '/namespaces/{namespace}' : '';
    const { patch } = document.paths[`/apis/plumb.dev/v1${scope}/${kind.plural}/{name}`]!;
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'plumb.dev', kind: kind.kind, version: 'v1' });
    const names = patch.parameters.map((p) => p.name);
    expect(names).toEqual(expect.arrayContaining(['dryRun', 'fieldValidation']));
  }
});

test('list maps keep their keys', () => {
  const interfaces = document.components.schemas['dev.plumb.v1.Instance']!.properties!.spec!.properties!.interfaces!;
  expect(interfaces['x-kubernetes-list-type']).toBe('map');
  expect(interfaces['x-kubernetes-list-map-keys']).toEqual(['name']);
});

test('every reference leads to a definition', () => {
  const text = JSON.stringify(document);
  const targets = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1]!);
  expect(targets.length).toBeGreaterThan(20);
  for (const target of targets) expect(document.components.schemas).toHaveProperty([target]);
});

test('only the verbs that are served have operations', () => {
  const readOnly = openApiDocument({
    group: '',
    version: 'v1',
    kinds: [{ ...openApiKind(zone, new Set(['get', 'list'])), hasStatus: false }],
  }) as { paths: Record<string, Record<string, unknown>> };
  expect(Object.keys(readOnly.paths['/api/v1/zones/{name}']!)).toEqual(['get', 'parameters']);
});

test('the editor schema accepts a manifest, and marks an unknown field and a wrong value', () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(editorSchema(kinds));
  const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'home' } };
  expect(validate(zone)).toBe(true);
  expect(validate({ ...zone, spec: { descripton: 'x' } })).toBe(false);
  expect(validate({ ...zone, kind: 'Zoone' })).toBe(false);
  expect(validate({ ...zone, kind: 'Host' })).toBe(false);
});
