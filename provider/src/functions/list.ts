/** Functions of the provider: `provider::plumb::cidr_contains(…)`. They are pure: they ask neither server nor clock. */
import { createHash } from 'node:crypto';
import type { TerraformType } from '@plumb/schemas/project/terraform.ts';
import type { Value } from '../value/value.ts';
import { blockOf, contains, overlap } from './cidr.ts';

interface Parameter {
  name: string;
  type: TerraformType;
  description: string;
}

export interface ProviderFunction {
  summary: string;
  description: string;
  parameters: readonly Parameter[];
  returns: TerraformType;
  /** The arguments are as the parameters say, and known. Throws {@link BadArgument}. */
  run(...args: never[]): Value;
}

/** What is wrong with an argument, which is counted from 0. */
export class BadArgument extends Error {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

const text = (name: string, description: string): Parameter => ({ name, type: 'string', description });
const texts = (name: string, description: string): Parameter => ({ name, type: ['list', 'string'], description });

export const functions: Readonly<Record<string, ProviderFunction>> = {
  cidr_contains: {
    summary: 'Whether a block of addresses has an address or another block in it.',
    description: 'IPv4 and IPv6; a block of the one has nothing of the other.',
    parameters: [text('cidr', 'The block, as 10.0.0.0/24.'), text('inner', 'An address or a block.')],
    returns: 'bool',
    run: (cidr: string, inner: string) => contains(block(0, cidr), block(1, inner)),
  },
  cidr_overlaps: {
    summary: 'Whether any two of some blocks of addresses have an address in common.',
    description: 'For networks that must not overlap, in a precondition.',
    parameters: [texts('cidrs', 'The blocks.')],
    returns: 'bool',
    run: (cidrs: string[]) => {
      // Sorted, blocks that overlap stand beside each other: CIDRs contain each other or are apart.
      const blocks = cidrs
        .map((cidr) => block(0, cidr))
        .toSorted((a, b) => a.bits - b.bits || (a.first < b.first ? -1 : 1));
      return blocks.some((one, index) => index > 0 && overlap(blocks[index - 1]!, one));
    },
  },
  spread: {
    summary: 'Places for items: a map of item to place.',
    description:
      'Every item gets a place by the hash of both names, and no place gets more than its share. When a place goes, few other items than its own move.',
    parameters: [
      texts('items', 'What is placed, e.g. names of instances.'),
      texts('places', 'Where, e.g. names of hosts.'),
    ],
    returns: ['map', 'string'],
    run: (items: string[], places: string[]) => spread(items, places),
  },
};

function block(index: number, cidr: string): ReturnType<typeof blockOf> {
  try {
    return blockOf(cidr);
  } catch (error) {
    throw new BadArgument(index, (error as Error).message);
  }
}

/** Rendezvous hashing with a bound on each place. */
function spread(items: readonly string[], places: readonly string[]): Record<string, string> {
  const distinct = [...new Set(places)];
  if (distinct.length === 0 && items.length > 0) throw new BadArgument(1, 'must have a place at least');
  const all = [...new Set(items)].toSorted();
  const share = Math.ceil(all.length / distinct.length);
  const taken = new Map<string, number>();
  return Object.fromEntries(
    all.map((item) => {
      const free = distinct.filter((place) => (taken.get(place) ?? 0) < share);
      const place = free.reduce((best, one) => (weight(item, one) > weight(item, best) ? one : best));
      taken.set(place, (taken.get(place) ?? 0) + 1);
      return [item, place];
    }),
  );
}

function weight(item: string, place: string): string {
  return createHash('sha256')
    .update(JSON.stringify([item, place]))
    .digest('hex');
}
