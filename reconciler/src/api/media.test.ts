import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AS_IT_IS, clausesOf, negotiate, type Target } from './media.ts';

const ranges = (header: string) => clausesOf(header).map(({ type, subtype }) => `${type}/${subtype}`);
const encodingOf = (header: string) => negotiate(header, AS_IT_IS)?.encoding;

test('what is preferred comes first, what is named before what is not, and else the order of the header counts', () => {
  expect(ranges('application/json;q=0.1, application/yaml')).toEqual(['application/yaml', 'application/json']);
  expect(ranges('*/*, application/yaml')).toEqual(['application/yaml', '*/*']);
  expect(ranges('application/*, application/yaml')).toEqual(['application/yaml', 'application/*']);
  expect(ranges('*')).toEqual(['*/*']);
  expect(ranges('a/b, c/d ,e/f')).toEqual(['a/b', 'c/d', 'e/f']);
});

test('what is no media range is passed over', () => {
  expect(ranges('json, a/b/c, ,;, application/, application/json')).toEqual(['application/json']);
  expect(encodingOf('bogus')).toBeUndefined();
});

test.each([
  ['', 'json'],
  ['*/*', 'json'],
  ['application/*', 'json'],
  ['application/yaml', 'yaml'],
  ['application/vnd.kubernetes.protobuf,application/json', 'protobuf'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/yaml', 'yaml'],
  ['application/json;stream=watch', 'json'],
  ['application/json;stream=bogus', undefined],
  ['application/json;charset=utf-8;pretty=1', 'json'],
  ['APPLICATION/JSON', undefined],
  ['text/*', undefined],
])('%s is answered as %s', (header, encoding) => {
  expect(encodingOf(header)).toBe(encoding);
});

test('a form is asked for by its parameters, in any order', () => {
  const seen: (Target | undefined)[] = [];
  negotiate('application/json;v=v1;as=Table;g=meta.k8s.io', (_, target) => {
    seen.push(target);
    return false;
  });
  expect(seen).toEqual([{ group: 'meta.k8s.io', version: 'v1', kind: 'Table' }]);
});

test('any header is read, and in no time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (header) => {
      expect(clausesOf(header).length).toBeLessThanOrEqual(header.split(',').length);
    }),
  );
  expect(clausesOf('a/b;q=0.1,'.repeat(5_000))).toHaveLength(5_000);
});
