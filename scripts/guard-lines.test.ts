import { expect, test } from 'vitest';
import { withoutGuard } from './guard-lines.ts';

test('a marker behind code takes the line, one by itself the statement after it, others stay', () => {
  const text = ['a();', 'b(); // guard: one', '// guard: one', 'if (c)', '  return d;', 'e(); // guard: two'].join(
    '\n',
  );
  expect(withoutGuard(text, 'one')).toBe(['a();', 'e(); // guard: two'].join('\n'));
  expect(withoutGuard(text, 'two')).toBe(text.split('\n').slice(0, -1).join('\n'));
});
