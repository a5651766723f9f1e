/** Plumb's API beside a real kube-apiserver: the same requests, the answers of both compared to the last value. */

import { realAmbient } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, startApiRig } from '../testing/rig.ts';
import { compare, type Difference } from './compare.ts';
import { corpus } from './corpus/index.ts';
import { deliberateRows } from './deliberate.ts';
import { readGolden } from './golden.ts';
import { play } from './play.ts';
import { Wire } from './wire.ts';

const rows = deliberateRows();
const used = new Set<string>();
/** More of them say nothing more. */
const TOLD = 40;

let api: ApiRig;
let wire: Wire;
let run = 0;

beforeAll(async () => {
  api = await startApiRig({ ambient: realAmbient() });
  wire = new Wire({ url: api.url, authority: api.pki.authority, token: api.token });
});
afterAll(async () => {
  wire.close();
  await api.stop();
});

describe.each(corpus)('$name', ({ name, cases }) => {
  const golden = readGolden(name);

  test('every case was recorded', () => {
    expect(Object.keys(golden.answers)).toEqual(cases.map((one) => one.name));
    expect(golden.binary.name).toBe('kube-apiserver');
    expect(golden.binary.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(cases)('$name', async (one) => {
    const theirs = golden.answers[one.name]!;
    const watches = theirs.filter(({ events }) => events !== undefined).map(({ events }) => events!.length);
    const playing = { wire, id: `c${++run}-${name}`, quietMs: 15, patienceMs: 3_000, expected: () => watches.shift() };
    const differences = compare(`${name}/${one.name}`, theirs, await play(one, playing));
    expect(differences.filter(isUnexplained).slice(0, TOLD)).toEqual([]);
  });
});

function isUnexplained(difference: Difference): boolean {
  const row = rows.find(({ matches }) => matches(difference));
  if (row) used.add(row.text);
  return row === undefined;
}

test('every row of the page is of a difference that is there', () => {
  expect(rows.filter(({ text }) => !used.has(text)).map(({ text }) => text)).toEqual([]);
});
