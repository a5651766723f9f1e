import type { FieldError } from '../meta/error.ts';

interface RuledFields {
  ipv4: {
    cidr: string;
    gateway?: string;
    ranges?: readonly { start: string; end: string }[];
    reserved?: readonly string[];
  };
}

/** What can never be right of a subnet: addresses outside of it, a range that ends before it starts, bits behind the prefix. */
export function l3Rules({ ipv4: { cidr, gateway, ranges = [], reserved = [] } }: RuledFields): FieldError[] {
  const errors: FieldError[] = [];
  const [address = '', prefix = ''] = cidr.split('/');
  const size = 2 ** (32 - within(prefix, 32));
  const from = numberOf(address);
  // What is no subnet or no address at all is said of its format.
  if (Number.isNaN(from) || Number.isNaN(size)) return errors;
  const network = from - (from % size);
  if (network !== from)
    errors.push({
      field: 'spec.ipv4.cidr',
      message: `${cidr} has bits set behind its prefix; write ${addressOf(network)}/${prefix}`,
    });
  const isOutside = (text: string) => numberOf(text) < network || numberOf(text) >= network + size;
  const inside = (field: string, text: string | undefined) => {
    if (text !== undefined && isOutside(text))
      errors.push({ field: `spec.ipv4.${field}`, message: `${text} is not in spec.ipv4.cidr ${cidr}` });
  };
  inside('gateway', gateway);
  for (const [i, { start, end }] of ranges.entries()) {
    inside(`ranges[${i}].start`, start);
    inside(`ranges[${i}].end`, end);
    if (numberOf(start) > numberOf(end))
      errors.push({ field: `spec.ipv4.ranges[${i}]`, message: `starts at ${start}, after its end ${end}` });
  }
  for (const [i, text] of reserved.entries()) inside(`reserved[${i}]`, text);
  return errors;
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + within(octet, 255), 0);
}

/** NaN for what is no number up to `most`. */
function within(text: string, most: number): number {
  return /^\d{1,3}$/.test(text) && Number(text) <= most ? Number(text) : Number.NaN;
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.');
}
