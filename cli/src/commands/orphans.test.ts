import type { Host } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { tableOf } from './orphans.ts';

const host = (name: string, orphans: { kind: string; id: string; owner: string }[]) =>
  ({
    metadata: { name },
    status: {
      ...(orphans.length > 0 ? { orphans } : {}),
      conditions: orphans.length > 0 ? [{ type: 'Orphans', status: 'True', message: '2 resources' }] : [],
    },
  }) as unknown as Host;

test('what hosts have is listed with why, and what the host itself says of it', () => {
  const found = tableOf([
    host('host-1', []),
    host('host-2', [
      { kind: 'disk', id: 'u.root', owner: 'u' },
      { kind: 'volume', id: 'u.data', owner: 'u' },
    ]),
  ]);
  expect(found.replace(/ +$/gm, '').split('\n')).toEqual([
    'HOST     RESOURCE        MADE FOR   WHY',
    'host-2   disk/u.root     u          no such object',
    'host-2   volume/u.data   u          unknown type',
    'host host-2: 2 resources',
    '',
  ]);
  expect(tableOf([host('host-1', [])])).toBe('no host has orphans\n');
});
