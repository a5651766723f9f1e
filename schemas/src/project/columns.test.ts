import { describe, expect, test } from 'vitest';
import { kindByName, kinds } from '../index.ts';
import { columnReader, tableColumns, tableRow } from './columns.ts';
import { age } from './columns-age.ts';

const instance = kindByName('Instance')!;
const now = Date.parse('2026-01-01T01:00:00Z');
const running = {
  metadata: { name: 'web-0', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { offering: 'small', image: 'tiny' },
  status: {
    power: 'Running',
    host: 'host-1',
    interfaces: [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: ['10.1.0.1'] }],
    conditions: [
      { type: 'Stalled', status: 'False', reason: 'No' },
      { type: 'Ready', status: 'True', reason: 'AsDeclared' },
    ],
  },
};

describe('tables', () => {
  test('name first, age before what only -o wide shows', () => {
    expect(tableColumns(instance).map((c) => `${c.name}/${c.priority}`)).toEqual([
      'Name/0',
      'Power/0',
      'Host/0',
      'Addresses/0',
      'Ready/0',
      'Reason/0',
      'Age/0',
      'Offering/1',
      'Image/1',
    ]);
  });

  test('cells select list-map items by key and join what [*] finds', () => {
    expect(tableRow(instance, running, now)).toEqual([
      'web-0',
      'Running',
      'host-1',
      '10.0.0.1,10.0.0.2,10.1.0.1',
      'True',
      'AsDeclared',
      '60m',
      'small',
      'tiny',
    ]);
  });

  test('what is absent is <none>, and numbers stay numbers', () => {
    expect(tableRow(instance, { metadata: running.metadata, spec: {} }, now).slice(1, 4)).toEqual([
      '<none>',
      '<none>',
      '<none>',
    ]);
    const offering = { metadata: running.metadata, spec: { cpus: 2, memoryMiB: 128 } };
    expect(tableRow(kindByName('InstanceOffering')!, offering, now).slice(1, 3)).toEqual([2, 128]);
  });

  test('every column of every kind has a path that can be read', () => {
    for (const kind of kinds) {
      for (const column of kind.columns) expect(() => columnReader(kind, column.path)({})).not.toThrow();
    }
    expect(() => columnReader(instance, 'status.[x]')).toThrow(/neither name/);
  });
});

test.each([
  [45_000, '45s'],
  [119_000, '119s'],
  [200_000, '3m20s'],
  [3 * 60_000, '3m'],
  [59 * 60_000, '59m'],
  [4 * 3_600_000 + 120_000, '4h2m'],
  [30 * 3_600_000, '30h'],
  [3 * 86_400_000, '3d'],
  [400 * 86_400_000, '400d'],
  [3 * 365 * 86_400_000, '3y'],
  [-5, '0s'],
])('%i ms is %s', (ms, text) => {
  expect(age(ms)).toBe(text);
});
