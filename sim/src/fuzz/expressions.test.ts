import { kinds } from '@plumb/schemas';
import { inputSchema, type SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { expect, test } from 'vitest';
import { attacksOn, type Expression, expressionsBelow } from './expressions.ts';

const LENGTH = 12_000;
/** Quadratic, it would be hundreds. Milliseconds of processor time. */
const MOST_MS = 40;

function slowest({ expression }: Expression): { ms: number; text: string } {
  let worst = { ms: 0, text: '' };
  for (const text of attacksOn(expression, LENGTH)) {
    let ms = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3 && ms > MOST_MS; attempt++) {
      const before = process.threadCpuUsage();
      expression.lastIndex = 0;
      expression.test(text);
      const { user, system } = process.threadCpuUsage(before);
      ms = Math.min(ms, (user + system) / 1000);
    }
    if (ms > worst.ms) worst = { ms, text };
    if (worst.ms > MOST_MS) break;
  }
  return worst;
}

const told = (all: readonly Expression[]) =>
  all
    .map((one) => ({ ...one, worst: slowest(one) }))
    .filter(({ worst }) => worst.ms > MOST_MS)
    .map(
      ({ place, expression, worst }) =>
        `${place} ${expression} ${Math.round(worst.ms)} ms: ${JSON.stringify(worst.text.slice(0, 30))}`,
    );

const patternsIn = (schema: SchemaNode): string[] => [
  ...(typeof schema.pattern === 'string' ? [schema.pattern] : []),
  ...[schema.items, schema.additionalProperties, schema.propertyNames, ...Object.values(schema.properties ?? {})]
    .filter((inner): inner is SchemaNode => typeof inner === 'object' && inner !== null)
    .flatMap(patternsIn),
];

test('no pattern of a schema takes more than linear time', () => {
  const patterns = new Set(kinds.flatMap((kind) => patternsIn(inputSchema(kind))));
  expect(patterns.size).toBeGreaterThan(5);
  expect(told([...patterns].map((place) => ({ place, expression: new RegExp(place, 'u') })))).toEqual([]);
});

test('no expression in the sources takes more than linear time', { timeout: 300_000 }, () => {
  const all = ['schemas', 'reconciler', 'agent', 'provider'].flatMap((folder) => expressionsBelow(`${folder}/src`));
  expect(all.length).toBeGreaterThan(80);
  expect(told(all)).toEqual([]);
});

test('expressions that take quadratic time are found', () => {
  const slow = [/^\s*(!?)\s*([^\s!=,()]+)\s*(?:,|$)/, /0+$/, /^a*a*b$/, /^Bearer +(\S+) *;? *$/, /(.*?)\s*$/];
  for (const expression of slow)
    expect([expression.source, slowest({ place: '', expression }).ms > MOST_MS]).toEqual([expression.source, true]);
});
