import { expect, test } from 'vitest';
import { kinds } from '../index.ts';
import { openApiDocument, openApiKind } from './openapi.ts';
import { swaggerDocument } from './openapi-v2.ts';
import { swaggerProtobuf } from './openapi-v2-proto.ts';

const verbs = new Set(['get', 'list', 'create', 'update', 'patch', 'delete', 'watch']);
const document = openApiDocument({
  ...{ group: 'plumb.dev', version: 'v1' },
  kinds: kinds.map((kind) => openApiKind(kind, verbs)),
});
// biome-ignore lint/suspicious/noExplicitAny: a document of any shape is walked
const swagger = swaggerDocument([document], 'v1') as any;

test('every kind is a definition with its group, version and kind, and with its fields', () => {
  for (const kind of kinds) {
    const definition = swagger.definitions[`dev.plumb.v1.${kind.kind}`];
    expect(definition['x-kubernetes-group-version-kind']).toEqual([
      { group: 'plumb.dev', kind: kind.kind, version: 'v1' },
    ]);
    expect(Object.keys(definition.properties.spec.properties ?? {})).toEqual(Object.keys(kind.spec.properties));
  }
});

test('every reference leads to a definition, and nothing of v3 or of Plumb alone is left', () => {
  const text = JSON.stringify(swagger);
  const targets = [...text.matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)].map((match) => match[1]!);
  expect(targets.length).toBeGreaterThan(20);
  for (const target of targets) expect(swagger.definitions).toHaveProperty([target]);
  expect(text).not.toMatch(/components\/schemas|requestBody|x-plumb-|"additionalProperties":(true|false)/);
});

test('parameters and bodies stand where v2 has them', () => {
  const { patch } = swagger.paths['/apis/plumb.dev/v1/zones/{name}'];
  expect(patch.parameters[0]).toMatchObject({ in: 'body', name: 'body' });
  expect(patch.parameters).toContainEqual(expect.objectContaining({ name: 'dryRun', in: 'query', type: 'string' }));
  expect(patch.consumes).toContain('application/merge-patch+json');
});

/** What a field of the wire holds, by number: text and messages as bytes. */
function fields(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const found = new Map<number, Uint8Array[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = tag % 8 === 2 ? varint() : tag % 8 === 1 ? 8 : 0;
    if (tag % 8 === 0) varint();
    const value = bytes.subarray(at, at + length);
    at += length;
    found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), value]);
  }
  expect(at).toBe(bytes.length);
  return found;
}

test('as protobuf every definition is there by its name, with what it refers to', () => {
  const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value);
  const whole = fields(swaggerProtobuf(swagger));
  expect(text(whole.get(1)?.[0])).toBe('2.0');
  const definitions = fields(whole.get(9)![0]!).get(1)!.map(fields);
  expect(definitions.map((one) => text(one.get(1)![0]))).toEqual(Object.keys(swagger.definitions));
  const instance = definitions.find((one) => text(one.get(1)![0]) === 'dev.plumb.v1.Instance')!;
  const schema = fields(instance.get(2)![0]!);
  const properties = fields(schema.get(25)![0]!).get(1)!.map(fields);
  expect(properties.map((one) => text(one.get(1)![0]))).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  const metadata = fields(properties[2]!.get(2)![0]!);
  expect(text(metadata.get(1)![0])).toBe('#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  const [extension] = schema.get(31)!.map(fields);
  expect(text(extension!.get(1)![0])).toBe('x-kubernetes-group-version-kind');
  expect(text(fields(extension!.get(2)![0]!).get(2)![0])).toBe(
    '[{"group":"plumb.dev","kind":"Instance","version":"v1"}]',
  );
});
