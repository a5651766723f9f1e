import { expect, test } from 'vitest';
import { readYaml } from './documents.ts';
import { ambiguity } from './scalars.ts';

const refusal = (text: string) => {
  try {
    readYaml(text, 'f');
  } catch (error) {
    return error as { reason?: string; message: string; fields: { field: string; message: string }[] };
  }
  return undefined;
};

test('a key that stands twice is named with its line, in every map', () => {
  const { reason, fields } = refusal('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n')!;
  expect(reason).toBe('BadManifest');
  expect(fields).toEqual([
    { field: 'f:5', message: 'Map keys must be unique' },
    { field: 'f:4', message: 'Map keys must be unique' },
  ]);
});

test('many keys are read in time that grows with them, and mistakes beyond a hundred are counted', () => {
  const before = process.threadCpuUsage().user;
  const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}: 1\n`).join('');
  expect(Object.keys(readYaml(keys, 'f')[0]!.value as object)).toHaveLength(40_000);
  const { fields } = refusal('a: 1\n'.repeat(8_001))!;
  expect([fields.length, fields[100]!.message]).toEqual([101, 'and 7,900 more']);
  // Each key compared with each other one, it would be half a minute.
  expect(process.threadCpuUsage().user - before).toBeLessThan(8_000_000);
});

test.each([
  [
    'aliases of aliases',
    `a: &a [x,x,x,x]\n${[...'bcdefgh'].map((n, i) => `${n}: &${n} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`).join('\n')}`,
  ],
  ['an alias of nothing', 'a: *b'],
  ['depth', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['a tag that is not known', `a: !${'x'.repeat(10_000)} 1`],
])('%s is a mistake of the file', (_, text) => {
  const { reason, message } = refusal(text)!;
  expect(reason).toBe('BadManifest');
  expect(message).toMatch(/^f/);
  expect(message.length).toBeLessThan(500);
});

test('a merge beside its anchor is taken', () => {
  expect(readYaml('a: &a {x: 1}\nb:\n  <<: *a\n  z: 2\n', 'f')[0]!.value).toEqual({ a: { x: 1 }, b: { x: 1, z: 2 } });
});

test.each(['1_000', '1__0', '0_1', '+1_0.5', '-1_'])('%s is ambiguous', (source) => {
  expect(ambiguity(source, source)).toMatch(/to kubectl/);
});

test('a long scalar is looked at once', () => {
  const before = process.threadCpuUsage().user;
  expect(ambiguity(`${'1_'.repeat(100_000)}x`, 'text')).toBeUndefined();
  expect(process.threadCpuUsage().user - before).toBeLessThan(500_000);
});

test('a text of nothing but mistakes costs less than one without, and errors have their stacks afterwards', () => {
  const cpuMs = (text: string) => {
    const before = process.threadCpuUsage().user;
    refusal(text);
    return (process.threadCpuUsage().user - before) / 1000;
  };
  const least = (text: string) => Math.min(...Array.from({ length: 3 }, () => cpuMs(text)));
  const right = least(`a: [${'x, '.repeat(4_000)}]`);
  // 0.4 of it; noting for each mistake where in the parser it was found, as much or more.
  expect(least(`a: ${'}'.repeat(4_000)}`)).toBeLessThan(0.75 * right);
  expect(new Error('later').stack).toContain('documents.test.ts');
});
