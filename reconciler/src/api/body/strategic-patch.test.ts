/** Strategic merge patches, beside what Kubernetes made of them (e2e/clients/strategic). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secret, serviceAccount } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { strategicPatch } from './strategic-patch.ts';

interface Case {
  object: Record<string, unknown>;
  patch: Record<string, unknown>;
  result?: unknown;
  error?: string;
}

const cases = readFileSync(join(import.meta.dirname, '../testing/strategic-patches.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

/** In what is new there a null stays, and means nothing. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, field) => (field === null ? undefined : field));
}

/**
 * What it does as it comes: lists that are empty on all sides, taking items out of a list that is not there, and putting in and taking
 * out the same ones.
 */
function isStumble({ object, patch, error }: Case): boolean {
  const list = (of: Record<string, unknown>, key: string) =>
    (of.metadata as Record<string, unknown[] | undefined>)[key];
  const out = list(patch, '$deleteFromPrimitiveList/finalizers');
  const into = list(patch, 'finalizers') ?? [];
  return (
    error === 'no elements in any of the given slices' ||
    (out !== undefined && (list(object, 'finalizers') === undefined || out.some((one) => into.includes(one))))
  );
}

test('each comes to what it comes to there, or is refused as there', () => {
  let compared = 0;
  for (const one of cases) {
    if (isStumble(one)) continue;
    compared++;
    const { object, patch, result, error } = one;
    const before = structuredClone(object);
    let made: unknown = 'refused';
    try {
      made = strategicPatch(serviceAccount, object, patch);
    } catch {}
    const what = JSON.stringify({ object, patch });
    expect([what, made]).toEqual([what, error === undefined ? withoutNulls(result) : 'refused']);
    expect(object).toEqual(before);
  }
  expect(compared).toBeGreaterThan(200);
});

test('fields that are not merged by their schema are replaced; directives are kept out of what is stored', () => {
  const object = { data: { a: 'x', b: 'y' }, metadata: { name: 's' } };
  expect(strategicPatch(secret, object, { data: { b: null, c: 'z' } })).toMatchObject({ data: { a: 'x', c: 'z' } });
  expect(strategicPatch(secret, object, { data: { $patch: 'replace', c: 'z' } })).toMatchObject({ data: { c: 'z' } });
  expect(strategicPatch(secret, object, { data: { $retainKeys: ['b'], b: 'w' } })).toMatchObject({ data: { b: 'w' } });
  for (const patch of [{ $patch: 'x' }, { $retainKeys: 7 }, { data: { $retainKeys: ['a'], b: 'w' } }])
    expect(() => strategicPatch(secret, object, patch)).toThrow();
  expect(JSON.stringify(strategicPatch(secret, object, JSON.parse('{"__proto__":{"a":1}}')))).toContain('__proto__');
});
