/** Applies by several managers are answered as a real kube-apiserver answers them: testdata/apply.json says what it said, and which. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plain, requestOf } from '../testing/apply-answers.ts';
import { histories } from '../testing/apply-requests.ts';
import { type ApiRig, startApiRig } from '../testing/rig.ts';

interface Recorded {
  name: string;
  /** `said`: the sentence of a refusal, for people who read the file. */
  answers: ({ said?: string } & Record<string, unknown>)[];
}

const { histories: recorded } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'testdata', 'apply.json'), 'utf8'),
) as { histories: Recorded[] };

let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig();
});
afterAll(() => rig.stop());

test.each(histories.map(({ name, steps }, number) => [name, steps, number] as const))(
  '%s',
  async (name, steps, number) => {
    const theirs = recorded[number]!;
    expect(theirs.name).toBe(name);
    for (const [i, step] of steps.entries()) {
      const { method, path, ...asking } = requestOf(step);
      const ours = plain(await rig.ask(method, path, asking));
      const { said: _, ...wanted } = theirs.answers[i]!;
      expect(ours, `step ${i}`).toEqual(wanted);
    }
  },
);
