import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataFolder } from './data-lock.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const inUse = expect.objectContaining({ reason: 'DataFolderInUse', retry: 'terminal' });

test('of two agents for one host, or with one libvirt, in one folder the second is refused until the first has ended', () => {
  const first = lockDataFolder(folder, ['host-1', 'libvirt']);
  expect(() => lockDataFolder(folder, ['host-1'])).toThrow(inUse);
  expect(() => lockDataFolder(folder, ['host-2', 'libvirt'])).toThrow(inUse);
  // What the one that was refused had taken is free again.
  lockDataFolder(folder, ['host-2'])[Symbol.dispose]();
  lockDataFolder(folder, ['sim-0'])[Symbol.dispose]();
  first[Symbol.dispose]();
  lockDataFolder(folder, ['host-1', 'libvirt'])[Symbol.dispose]();
});
