import { kinds } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { checkApi } from './api-model.ts';

test('random requests on all kinds, legal and illegal: the model knows every answer, and what there is in the end', {
  timeout: 300_000,
}, async () => {
  const { answers, foretold } = await checkApi(3, 200);
  const seen = [...answers.keys()];
  for (const { kind } of kinds) {
    expect(seen).toContain(`create ${kind}: 201`);
    expect(seen).toContain(`create ${kind}: 409`);
    expect(seen).toContain(`delete ${kind}: 200`);
    expect(
      seen.filter((what) => what.startsWith(`retry ${kind}: `)),
      `retry of ${kind}`,
    ).not.toEqual([]);
    expect(
      seen.filter((what) => what === `change ${kind}: 200` || what === `change ${kind}: 422`),
      `change of ${kind}`,
    ).not.toEqual([]);
  }
  for (const code of [200, 404, 409, 422]) expect(seen).toContain(`replace Instance: ${code}`);
  for (const code of [200, 404, 422]) expect(seen).toContain(`cascade: ${code}`);
  for (const code of [201, 409]) expect(seen).toContain(`create Namespace: ${code}`);
  for (const code of [200, 404]) expect(seen).toContain(`delete Namespace: ${code}`);
  for (const what of ['retry', 'abandon']) expect(seen).toContain(`flow ${what}: 404`);
  expect(foretold).toBeGreaterThan(1_000);
});
