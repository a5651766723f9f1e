/** Properties of apply that hold whatever is declared. The rules step by step are compared with Kubernetes in sim/src/apply. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instance } from '../kinds/instance.ts';
import { FieldSet, type FieldsV1 } from './field-set.ts';
import { decodeManaged, encodeManaged, isReset, type ManagedFieldsEntry } from './managed-fields.ts';
import { type Place, trackApply, trackUpdate } from './track.ts';
import { objectType } from './type.ts';
import { extracted, fieldsOf, mistakesOf } from './typed.ts';

const place: Place = { type: objectType(instance as never), apiVersion: 'plumb.dev/v1', kind: 'Instance' };
type Fields = Record<string, unknown>;
type Live = Fields & { metadata: Fields };

const word = fc.constantFrom('a', 'b', 'c');
const some = <T extends Record<string, fc.Arbitrary<unknown>>>(fields: T) =>
  fc.record(fields, { requiredKeys: [] }).map((value) => JSON.parse(JSON.stringify(value)) as Fields);
const names = fc.uniqueArray(fc.constantFrom('eth0', 'eth1', 'eth2'), { minLength: 1 });
const spec = some({
  zone: word,
  offering: word,
  rootDiskMiB: fc.integer({ min: 1, max: 3 }),
  sshKeys: fc.uniqueArray(word, { minLength: 1 }),
  hostSelector: some({ matchLabels: fc.dictionary(word, word, { minKeys: 1 }) }),
  interfaces: names.chain((all) =>
    fc.tuple(...all.map((name) => some({ l3Network: word, addresses: fc.array(word) }).map((of) => ({ name, ...of })))),
  ),
});
const declaration = fc
  .record({ spec, labels: fc.option(fc.dictionary(word, word, { minKeys: 1 }), { nil: undefined }) })
  .map(({ spec, labels }) => declared(spec, labels));

function declared(spec: Fields, labels?: Fields): Live {
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Instance',
    metadata: { name: 'one', ...(labels ? { labels } : {}) },
    spec,
  };
}

/** The object after an apply by force. */
function apply(live: Live | undefined, by: string, what: Live, seconds = 0): Live {
  const now = new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString().replace('.000Z', 'Z');
  const tracked = trackApply(place, live, what, { manager: by, now }, true);
  if ('conflicts' in tracked) throw new Error('there is no conflict by force');
  return withEntries((tracked.object ?? live ?? what) as Live, tracked.entries);
}

function withEntries(object: Live, entries: ManagedFieldsEntry[] | undefined): Live {
  const { managedFields: _, ...metadata } = object.metadata;
  const managed = entries ? { managedFields: entries } : {};
  return structuredClone({ ...object, metadata: { uid: 'uid', ...metadata, ...managed } });
}

const entriesOf = (live: Live) => (live.metadata.managedFields ?? []) as ManagedFieldsEntry[];
const ownedBy = (live: Live, manager: string) =>
  FieldSet.fromFieldsV1(entriesOf(live).find((entry) => entry.manager === manager)?.fieldsV1 ?? {});

/** Without entries, and without what is empty: an object may keep the place of what is gone. */
function content(live: Live): unknown {
  const { managedFields: _, uid: _uid, ...metadata } = live.metadata;
  const bare = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(bare);
    if (typeof value !== 'object' || value === null) return value;
    const left = Object.entries(value).map(([key, of]) => [key, bare(of)] as const);
    return Object.fromEntries(left.filter(([, of]) => of !== null && JSON.stringify(of) !== '{}'));
  };
  return bare({ ...live, metadata });
}

describe('apply', () => {
  test('is idempotent: the second time nothing changes, not even a time', () => {
    fc.assert(
      fc.property(declaration, declaration, (first, second) => {
        const live = apply(apply(undefined, 'one', first), 'two', second, 1);
        expect(apply(live, 'two', second, 2)).toEqual(live);
      }),
    );
  });

  test('of what a manager gives up, what others own stays', () => {
    fc.assert(
      fc.property(declaration, declaration, (first, second) => {
        const both = apply(apply(undefined, 'one', first), 'two', second, 1);
        const left = apply(both, 'two', declared({}), 2);
        // What the second took by force is gone with it; the rest is as the first declared it.
        expect(ownedBy(left, 'one').equals(ownedBy(both, 'one'))).toBe(true);
        const owned = extracted(place.type, left, ownedBy(left, 'one')) as Live | undefined;
        const alone = declared(owned?.spec as Fields, owned?.metadata?.labels as Fields | undefined);
        expect(content(left)).toEqual(content(alone));
      }),
    );
  });

  test('by force the object says what was applied, and its owner owns all of it', () => {
    fc.assert(
      fc.property(declaration, declaration, (first, second) => {
        const live = apply(apply(undefined, 'one', first), 'two', second, 1);
        const owned = fieldsOf(place.type, second).difference(
          FieldSet.of(['f:apiVersion'], ['f:kind'], ['f:metadata', 'f:name']),
        );
        expect(ownedBy(live, 'two').equals(owned)).toBe(true);
        expect(content(extracted(place.type, live, fieldsOf(place.type, second)) as Live)).toEqual(content(second));
      }),
    );
  });

  test('what is not by force conflicts exactly where another owns another value', () => {
    fc.assert(
      fc.property(declaration, declaration, (first, second) => {
        const live = apply(undefined, 'one', first);
        const tracked = trackApply(place, live, second, { manager: 'two', now: '2026-01-01T00:00:00Z' }, false);
        const forced = apply(live, 'two', second, 1);
        const lost = ownedBy(live, 'one').difference(ownedBy(forced, 'one'));
        const told =
          'conflicts' in tracked ? FieldSet.of(...tracked.conflicts.map(({ path }) => path)) : new FieldSet();
        expect(told.equals(lost)).toBe(true);
      }),
    );
  });

  test('the order of managers does not matter where they declare different fields', () => {
    const pair = fc.tuple(
      some({ zone: word, sshKeys: fc.constant(['a']) }),
      some({ offering: word, sshKeys: fc.constant(['b']) }),
    );
    fc.assert(
      fc.property(pair, ([first, second]) => {
        const there = apply(apply(undefined, 'one', declared(first)), 'two', declared(second), 1);
        const back = apply(apply(undefined, 'two', declared(second)), 'one', declared(first), 1);
        const sorted = (live: Live) => JSON.stringify(content(live)).split('').sort().join('');
        expect(sorted(there)).toBe(sorted(back));
        for (const manager of ['one', 'two']) expect(ownedBy(there, manager).equals(ownedBy(back, manager))).toBe(true);
      }),
    );
  });

  test('what is extracted of a manager and applied again changes nothing', () => {
    fc.assert(
      fc.property(declaration, declaration, (first, second) => {
        const live = apply(apply(undefined, 'one', first), 'two', second, 1);
        const part = extracted(place.type, live, ownedBy(live, 'one')) as Live | undefined;
        const again = {
          ...part,
          apiVersion: 'plumb.dev/v1',
          kind: 'Instance',
          metadata: { ...part?.metadata, name: 'one' },
        };
        const { metadata: before } = live;
        const after = apply(live, 'one', again, 2);
        expect(content(after)).toEqual(content(live));
        const rest = ownedBy(live, 'one').difference(
          ownedBy({ ...after, metadata: { ...before, ...after.metadata } }, 'one'),
        );
        expect(rest.isEmpty).toBe(true);
      }),
    );
  });
});

describe('the record', () => {
  test('reads back what it wrote', () => {
    fc.assert(
      fc.property(declaration, declaration, (first, second) => {
        const entries = entriesOf(apply(apply(undefined, 'one', first), 'two', second, 1));
        expect(encodeManaged(decodeManaged(entries)) ?? []).toEqual(entries);
      }),
    );
  });

  test('writes keys and values in one form, whatever the order that a client sent', () => {
    const set = FieldSet.fromFieldsV1({
      'f:a': { 'k:{"b":1, "a":"x"}': {}, 'v: "y"': {}, 'v:1': {}, 'x:new': {} },
    } as unknown as FieldsV1);
    expect(JSON.stringify(set.toFieldsV1())).toBe(
      '{"f:a":{"k:{\\"a\\":\\"x\\",\\"b\\":1}":{},"v:1":{},"v:\\"y\\"":{}}}',
    );
  });

  test.each([
    [[], true],
    [[{}], true],
    [[{ manager: 'a' }], false],
    [undefined, false],
    ['x', false],
  ])('%j asks for it to be forgotten: %s', (sent, is) => expect(isReset(sent)).toBe(is));

  test('no more than ten that updated: the oldest become one', () => {
    let live = withEntries(declared({}, { l0: 'a' }), undefined);
    const update = (n: number, labels: Fields) => {
      const next = { ...live, metadata: { ...live.metadata, labels } };
      const now = `2026-01-01T00:00:${String(n).padStart(2, '0')}Z`;
      live = withEntries(
        next,
        trackUpdate(place, n === 0 ? undefined : live, next, undefined, { manager: `m${n}`, now }),
      );
    };
    const labels: Fields = {};
    for (let n = 0; n < 12; n++) {
      labels[`l${n}`] = 'a';
      update(n, { ...labels });
    }
    const managers = entriesOf(live).map(({ manager }) => manager);
    expect(managers).toHaveLength(10);
    expect(managers[0]).toBe('ancient-changes');
    expect(managers.at(-1)).toBe('m11');
    expect(ownedBy(live, 'ancient-changes').has(['f:metadata', 'f:labels', 'f:l1'])).toBe(true);
  });

  test('of what cannot be read, or is of another version, nothing is believed', () => {
    const live = apply(undefined, 'one', declared({ zone: 'a' }));
    const other = {
      ...live,
      metadata: { ...live.metadata, managedFields: [{ ...entriesOf(live)[0]!, apiVersion: 'x/v2' }] },
    };
    const entries = entriesOf(apply(other as Live, 'two', declared({ offering: 'b' }), 1));
    expect(entries.map(({ manager }) => manager)).toEqual(['two', 'before-first-apply']);
  });
});

test('a declaration that does not fit its schema is told as Kubernetes tells it', () => {
  const wrong = declared({
    zone: 1,
    rootDiskMiB: 'x',
    allowDataLoss: 'x',
    interfaces: [{ name: 'a' }, { name: 'a' }],
    what: 1,
    spread: [],
  });
  expect(mistakesOf(place.type, wrong)).toEqual([
    '.spec.zone: expected string, got &value.valueUnstructured{Value:1}',
    '.spec.rootDiskMiB: expected numeric (int or float), got string',
    '.spec.allowDataLoss: expected boolean, got &{x}',
    '.spec.interfaces: duplicate entries for key [name="a"]',
    '.spec.what: field not declared in schema',
    '.spec.spread: expected map, got &{[]}',
  ]);
});
