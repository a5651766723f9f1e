import { kinds } from '@plumb/schemas';
import { type TerraformAttribute, type TerraformType, terraformKind } from '@plumb/schemas/project/terraform.ts';
import { decodeObject, encodeObject } from '../../../../provider/src/value/msgpack.ts';
import { NumberText, type ObjectValue, UNKNOWN, type Value } from '../../../../provider/src/value/value.ts';
import type { Dice } from '../../core/dice.ts';
import { anyBytes, anyJson, anyText, mutatedBytes } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

const resources = kinds.filter((kind) => kind.terraform !== false).map((kind) => terraformKind(kind).resource);

interface Input {
  resource: number;
  bytes: Buffer;
}

/** A value of the attribute, nearly always. */
function valueFor(dice: Dice, { type, nested }: TerraformAttribute): Value {
  if (dice.chance(0.1)) return null;
  if (dice.chance(0.05)) return UNKNOWN;
  if (dice.chance(0.01)) return anyJson(dice) as Value;
  if (type) return typedValue(dice, type);
  const one = () => objectOf(dice, nested!.attributes);
  return nested!.nesting === 'single' ? one() : Array.from({ length: dice.between(0, 3) }, one);
}

function typedValue(dice: Dice, type: TerraformType): Value {
  if (type === 'bool') return dice.chance(0.5);
  if (type === 'string') return anyText(dice);
  if (type === 'number')
    return dice.pick([0, 1, -1, 0.1, 1e300, 2 ** 53, new NumberText('123456789012345678901234567890.5')]);
  const [collection, element] = type;
  const items = Array.from({ length: dice.between(0, 3) }, () => typedValue(dice, element));
  return collection === 'map' ? Object.fromEntries(items.map((item) => [anyText(dice), item])) : items;
}

function objectOf(dice: Dice, attributes: readonly TerraformAttribute[]): ObjectValue {
  return Object.fromEntries(attributes.map((attribute) => [attribute.name, valueFor(dice, attribute)]));
}

/** Values of Terraform, as its core sends them. */
export const msgpack: FuzzTarget<Input> = {
  name: 'msgpack',
  make(dice) {
    const resource = dice.between(0, resources.length - 1);
    if (dice.chance(0.1)) return { resource, bytes: anyBytes(dice, 40) };
    const attributes = resources[resource]!;
    const bytes = Buffer.from(encodeObject(objectOf(dice, attributes), attributes));
    // Lengths that are not there: lists, maps, texts, extensions.
    const lie = Buffer.from([dice.pick([0xdd, 0xdf, 0xdb, 0xc6, 0xc9, 0xdc, 0x91]), 0x7f, 0xff, 0xff, 0xff]);
    if (dice.chance(0.1)) return { resource, bytes: Buffer.concat(Array(dice.between(1, 2_000)).fill(lie)) };
    return { resource, bytes: dice.chance(0.5) ? mutatedBytes(dice, bytes) : bytes };
  },
  run({ resource, bytes }) {
    const attributes = resources[resource]!;
    const value = decodeObject(bytes, attributes);
    const again = value && decodeObject(encodeObject(value, attributes), attributes);
    return again === null || Object.keys(again).length === attributes.length ? value : new Wrong('loses attributes');
  },
  // It answers Terraform with a diagnostic for whatever is thrown: what a TypeError says would help no one.
  allows: (thrown) => thrown instanceof Error && !(thrown instanceof TypeError),
  show: ({ bytes }) => bytes.toString('hex'),
};
