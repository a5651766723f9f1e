import { expect, test } from 'vitest';
import { labelSelector } from './selector-labels.ts';

const labels = { tier: 'web', env: 'prod', 'plumb.dev/rack': 'a', empty: '' };

test.each([
  ['tier=web', true],
  ['tier==web', true],
  ['tier=db', false],
  ['tier!=db', true],
  ['missing!=x', true],
  ['tier', true],
  ['!tier', false],
  ['!missing', true],
  ['empty=', true],
  ['tier in (web, db)', true],
  ['tier in (db)', false],
  ['tier notin (db)', true],
  ['missing notin (db)', true],
  ['missing in (db)', false],
  ['plumb.dev/rack=a,tier in (web),!missing', true],
  ['plumb.dev/rack=a,tier=db', false],
  ['toString', false],
  ['  tier = web , env ', true],
])('%s is %s', (selector, selected) => {
  expect(labelSelector(selector)!(labels)).toBe(selected);
});

test('nothing selects everything, an object without labels has none', () => {
  expect(labelSelector(' ')).toBeUndefined();
  expect(labelSelector('a')!(undefined)).toBe(false);
  expect(labelSelector('!a')!(undefined)).toBe(true);
});

test.each(['=x', 'a in b', 'a=b c', 'a in (b', '(', 'a,=', '!'])('%s cannot be read', (selector) => {
  expect(() => labelSelector(selector)).toThrow(/unable to parse/);
});
