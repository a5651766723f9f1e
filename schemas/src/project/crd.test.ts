import { expect, test } from 'vitest';
import { kinds } from '../index.ts';
import { customResourceDefinition } from './crd.ts';
import { structural } from './structural.ts';
import type { SchemaNode } from './validate-schema.ts';

test.each(kinds)('$kind as a CustomResourceDefinition', async (kind) => {
  const text = `${JSON.stringify(customResourceDefinition(kind), undefined, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`testdata/crd/${kind.plural}.json`);
});

/** The rules of structural schemas (apiextensions.k8s.io/v1, "Specifying a structural schema") that the projection has to keep. */
test('every schema is structural', () => {
  const walk = (schema: SchemaNode, path: string) => {
    expect([path, typeof schema.type]).toEqual([path, 'string']);
    expect([path, schema.properties !== undefined && schema.additionalProperties !== undefined]).toEqual([path, false]);
    if (schema.type === 'array') expect([path, typeof schema.items]).toEqual([path, 'object']);
    for (const [key, of] of Object.entries(schema.properties ?? {})) walk(of, `${path}.${key}`);
    if (schema.items) walk(schema.items, `${path}[]`);
    if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${path}{}`);
    expect(String(schema.pattern ?? '')).not.toMatch(/\(\?<?[=!]/);
    for (const keyword of Object.keys(schema)) expect(keyword).not.toMatch(/^x-plumb-/);
  };
  for (const kind of kinds) {
    const { versions } = customResourceDefinition(kind).spec as {
      versions: { schema: { openAPIV3Schema: SchemaNode } }[];
    };
    walk(versions[0]!.schema.openAPIV3Schema, kind.kind);
  }
});

test('a keyword of which it is not known what it is there is refused', () => {
  expect(() => structural({ type: 'string', contentEncoding: 'base64' })).toThrow(/contentEncoding/);
  expect(structural({ type: 'object', additionalProperties: true })).toEqual({
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  });
  expect(
    structural({
      type: 'object',
      additionalProperties: false,
      properties: { a: { type: 'string', 'x-plumb-sensitive': true } },
    }),
  ).toEqual({
    type: 'object',
    properties: { a: { type: 'string' } },
  });
});
