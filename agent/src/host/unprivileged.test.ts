import { findUser } from '@plumb/schemas/sources/users.ts';
import { expect, test } from 'vitest';
import { run } from './command.ts';
import { unprivileged } from './unprivileged.ts';

const asRoot = process.getuid?.() === 0;

test.runIf(process.platform === 'linux')('a program has no right, no group and not our environment', async () => {
  process.env.PLUMB_TEST_SECRET = 'secret';
  try {
    const user = asRoot ? await findUser('nobody') : undefined;
    const bounded = unprivileged(run, user);
    const said = await bounded('sh', ['-c', 'cat /proc/self/status; env; ulimit -v; ulimit -t; ulimit -c']);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(said).toMatch(new RegExp(`^${set}:\\s0+$`, 'm'));
    expect(said).toMatch(/^NoNewPrivs:\s1$/m);
    expect(said).not.toContain('PLUMB_TEST_SECRET');
    expect(said.trimEnd().split('\n').slice(-3)).toEqual([String(1024 ** 2), '60', '0']);
    if (!asRoot) return;
    expect(said).toMatch(/^CapBnd:\s0+$/m);
    expect(said).toMatch(/^Groups:\s*$/m);
    expect(said).toContain(`Uid:\t${Array(4).fill(user!.uid).join('\t')}`);
    await expect(bounded('cat', ['/etc/shadow'])).rejects.toThrow(/Permission denied/);
  } finally {
    delete process.env.PLUMB_TEST_SECRET;
  }
});
