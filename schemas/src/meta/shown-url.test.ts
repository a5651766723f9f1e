import { expect, test } from 'vitest';
import { shownUrl } from './shown-url.ts';

test.each([
  ['https://me:secret@example.org/a.img?sig=secret', 'https://example.org/a.img?…'],
  ['https://secret@example.org/a.img', 'https://example.org/a.img'],
  ['https://example.org/a.img#secret', 'https://example.org/a.img'],
  ['https://me:secret@[bad/a.img?sig=secret', '[bad/a.img?…'],
  ['https://me:sec@ret@bad host/a', 'bad host/a'],
  ['me:secret@', ''],
  ['ht.tps://me:secret@example.org/a', 'example.org/a'],
])('%s hides its secret', (url, expected) => {
  expect(shownUrl(url)).toBe(expected);
  expect(shownUrl(url)).not.toContain('secret');
});

test('what has none is shown as it was written', () => {
  expect(shownUrl('file:///a b.img')).toBe('file:///a b.img');
  expect(shownUrl('https://example.org/a@b.img')).toBe('https://example.org/a@b.img');
  expect(shownUrl('file:///a\n\x1b[2Jb')).toBe('file:///a\\n\\u001b[2Jb');
});
