import { expect, test } from 'vitest';
import { labelSelector } from './labels.ts';

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

const numbers = { n: '7', low: '-7', word: 'x', huge: '99999999999999999999' };

test.each([
  ['n>6', true],
  ['n > 6', true],
  ['n>7', false],
  ['n<8', true],
  ['n<07', false],
  ['n>5,n<9', true],
  ['low<1', true],
  ['word>1', false],
  ['huge>1', false],
  ['missing>1', false],
  ['n in ()', false],
  ['missing notin ()', true],
  ['n in (,7)', true],
  ['in=7', false],
  ['!in', true],
  ['n notin (in,notin)', true],
])('%s of numbers and odd words is %s', (selector, selected) => {
  expect(labelSelector(selector)!(numbers)).toBe(selected);
});

/** As apimachinery 0.36.3 answers the same text. */
test.each([
  ['=x', "found '=', expected: !, identifier, or 'end of string'"],
  ['(', "found '(', expected: !, identifier, or 'end of string'"],
  ['a,', "found '', expected: identifier after ','"],
  ['a,=', "found '=', expected: identifier after ','"],
  ['a in (b)c', "found 'c', expected: ',' or 'end of string'"],
  ['!app>1', "found '>', expected: ',' or 'end of string'"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  ['!!a', "unable to parse requirement: found '!', expected: identifier"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['app notin (a1 a2)', "unable to parse requirement: found 'a2', expected: ',' or ')'"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a=(', "unable to parse requirement: found '(', expected: identifier"],
  [
    'num>x',
    `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
  [
    'x/y/z=1',
    `unable to parse requirement: <nil>: Invalid value: "x/y/z": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  ],
  [
    'app!=a1;env=test',
    `unable to parse requirement: values[0][app]: Invalid value: "a1;env": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  ],
])('%s is refused as Kubernetes refuses it', (selector, message) => {
  expect(() => labelSelector(selector)).toThrow(expect.objectContaining({ reason: 'BadRequest', message }));
});

test.each([
  ...['app!=-x', "app!=a'1'", '-bad', 'UPPER/x=1', 'a/=1', '/a', `${'x'.repeat(64)}=1`, `app!=${'x'.repeat(64)}`],
  ...['app=a!', 'app!=é', 'n>9223372036854775808', 'n>', 'n>+5', 'a\0', '\0', ' \0,!a', 'a=b\0;x', ';', 'a;b'],
])('%j selects nothing, it is refused', (selector) => {
  expect(() => labelSelector(selector)).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
});

test('time is linear in the text, whatever it is', () => {
  const times = (part: string, length: number) => part.repeat(Math.ceil(length / part.length)).slice(0, length);
  for (const part of [' ', '!', ',', 'a', 'a,', '!a,', 'a in (', '(', 'a in (b,', '=', 'x.', '\t(', 'a=b ', '/']) {
    for (const text of [times(part, 400_000), `${times(part, 400_000)}(`, `a in (${times(part, 400_000)}`]) {
      const before = process.threadCpuUsage().user;
      try {
        labelSelector(text);
      } catch (error) {
        expect((error as Error).message.length).toBeLessThan(1_000);
      }
      // Quadratic, it would be minutes.
      expect(process.threadCpuUsage().user - before).toBeLessThan(1_000_000);
    }
  }
});
