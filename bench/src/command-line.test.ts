import { expect, test } from 'vitest';
import { parseCommand, usage } from './command-line.ts';
import { lifting } from './testing.ts';

test('a case is chosen with all of its sizes or one, which may be a new one', () => {
  const sizes = (...argv: string[]) => {
    const command = parseCommand(argv, [lifting]);
    return command.do === 'run' ? command.chosen.map((one) => one.sizes) : command.do;
  };
  expect(sizes()).toEqual([[1, 100]]);
  expect(sizes('lift')).toEqual([[1, 100]]);
  expect(sizes('lift-100', 'lift-7')).toEqual([[100], [7]]);
  expect(sizes('report')).toBe('report');
  expect(parseCommand(['lift', '--repetitions', '5', '--profile'], [lifting])).toMatchObject({
    ...{ do: 'run', repetitions: 5, profile: true },
  });
});

test('two results are compared, or one with the last', () => {
  expect(parseCommand(['compare', 'HEAD~1'], [lifting])).toEqual({ do: 'compare', before: 'HEAD~1', after: undefined });
  expect(parseCommand(['compare', 'a.json', 'b'], [lifting])).toEqual({ do: 'compare', before: 'a.json', after: 'b' });
  expect(() => parseCommand(['compare'], [lifting])).toThrow('what was before');
});

test.each([['drop'], ['lift-0'], ['lift-x'], ['lift', '--repetitions', '0']])('%j is refused', (...argv) => {
  expect(() => parseCommand(argv, [lifting])).toThrow();
});

test('the usage names every case', () => {
  expect(usage([lifting])).toContain('lift   Lifting, again & again: 1, 100');
});
