/**
 * Values as Terraform puts them on the wire (docs/plugin-protocol/object-wire-format.md): MessagePack, where an unknown
 * is extension 0 or, with hints about what it will be, extension 12; and a number that a double cannot hold is text.
 */
import { decode, Encoder, ExtData, ExtensionCodec } from '@msgpack/msgpack';
import type { TerraformAttribute, TerraformType } from '@plumb/schemas/project/terraform.ts';
import { NumberText, numberFrom, type ObjectValue, UNKNOWN, type Value } from './value.ts';

const unknownExtension = new ExtData(0, new Uint8Array([0]));

const extensions = new ExtensionCodec();
for (const type of [0, 12]) extensions.register({ type, encode: () => null, decode: () => UNKNOWN });

/** The object of that schema, or null. Throws when the bytes are not a value of the schema. */
export function decodeObject(bytes: Uint8Array, attributes: readonly TerraformAttribute[]): ObjectValue | null {
  const raw = decode(bytes, { extensionCodec: extensions, useBigInt64: true, ...boundsOf(bytes) });
  const value = objectFrom(raw, attributes);
  if (value === UNKNOWN) throw new Error('a whole resource cannot be unknown');
  return value as ObjectValue | null;
}

export function encodeObject(value: ObjectValue | null, attributes: readonly TerraformAttribute[]): Uint8Array {
  return new Encoder().encode(value === null ? null : objectTo(value, attributes));
}

function boundsOf({ length }: Uint8Array): Record<`max${'Array' | 'Map' | 'Str' | 'Bin' | 'Ext'}Length`, number> {
  // Each item takes a byte at least: a length beyond that is a lie, and room for it is not to be made.
  return {
    maxArrayLength: length,
    maxMapLength: length,
    maxStrLength: length,
    maxBinLength: length,
    maxExtLength: length,
  };
}

/** A value of a type without nested attributes. */
export function decodeTyped(bytes: Uint8Array, type: TerraformType): Value {
  const whole = decode(bytes, { extensionCodec: extensions, useBigInt64: true, ...boundsOf(bytes) });
  return typedFrom(whole, type);
}

export function encodeTyped(value: Value): Uint8Array {
  return new Encoder().encode(plainTo(value));
}

function objectFrom(raw: unknown, attributes: readonly TerraformAttribute[]): Value {
  if (raw === null || raw === undefined) return null;
  if (raw === UNKNOWN) return UNKNOWN;
  const fields = mapOf(raw);
  return Object.fromEntries(
    attributes.map((a) => [a.name, attributeFrom(Object.hasOwn(fields, a.name) ? fields[a.name] : null, a)]),
  );
}

function attributeFrom(raw: unknown, { type, nested }: TerraformAttribute): Value {
  if (type) return typedFrom(raw, type);
  if (nested?.nesting === 'single') return objectFrom(raw, nested.attributes);
  return listFrom(raw, (item) => objectFrom(item, nested!.attributes));
}

function listFrom(raw: unknown, item: (raw: unknown) => Value): Value {
  if (raw === null || raw === undefined) return null;
  if (raw === UNKNOWN) return UNKNOWN;
  if (!Array.isArray(raw)) throw new Error('a value that the schema calls a list is none');
  return raw.map(item);
}

function typedFrom(raw: unknown, type: TerraformType): Value {
  if (raw === null || raw === undefined) return null;
  if (raw === UNKNOWN) return UNKNOWN;
  if (type === 'number') {
    if (typeof raw === 'number' || typeof raw === 'bigint' || typeof raw === 'string') return numberFrom(raw);
    throw new Error('a value that the schema calls a number is none');
  }
  if (typeof type === 'string') {
    const wanted = type === 'bool' ? 'boolean' : type;
    if (typeof raw !== wanted) throw new Error(`a value that the schema calls ${type} is none`);
    return raw as Value;
  }
  const [collection, element] = type;
  if (collection !== 'map') return listFrom(raw, (item) => typedFrom(item, element));
  return Object.fromEntries(Object.entries(mapOf(raw)).map(([key, item]) => [key, typedFrom(item, element)]));
}

function mapOf(raw: unknown): Record<string, unknown> {
  if (
    typeof raw === 'object' &&
    raw !== null &&
    !Array.isArray(raw) &&
    !ArrayBuffer.isView(raw) &&
    !(raw instanceof Date)
  )
    return raw as Record<string, unknown>;
  throw new Error('a value that the schema calls an object is none');
}

function objectTo(value: Value, attributes: readonly TerraformAttribute[]): unknown {
  if (value === null) return null;
  if (value === UNKNOWN) return unknownExtension;
  const fields = value as ObjectValue;
  return Object.fromEntries(attributes.map((a) => [a.name, attributeTo(fields[a.name] ?? null, a)]));
}

function attributeTo(value: Value, { nested }: TerraformAttribute): unknown {
  if (!nested) return plainTo(value);
  if (nested.nesting === 'single') return objectTo(value, nested.attributes);
  return Array.isArray(value) ? value.map((item) => objectTo(item, nested.attributes)) : plainTo(value);
}

function plainTo(value: Value): unknown {
  if (value === UNKNOWN) return unknownExtension;
  if (value instanceof NumberText) return value.text;
  // As text, Terraform reads 0.1 as the decimal that a person wrote; as a double, as the binary fraction beside it.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return value.map(plainTo);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainTo(item)]));
  }
  return value;
}
