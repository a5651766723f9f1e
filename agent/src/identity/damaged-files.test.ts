/** Files of who the agent is, and whom it trusts, that say nonsense. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { describe, expect, test } from 'vitest';
import { SimulatedHost } from '../drivers/simulated/simulated-host.ts';
import { lockDataFolder } from '../host/data-lock.ts';
import { damagedFolder, damages } from '../host/testing/damages.ts';
import { runAgent } from '../main.ts';
import { Identity } from './identity.ts';
import { withSpares } from './spare-file.ts';
import { Trust } from './trust.ts';

const folder = damagedFolder();
const { clock } = realAmbient();

describe('who the agent is', () => {
  const { ids } = realAmbient();
  const identity = () => join(folder.path, 'hosts/host-1.json');
  const broken = damages.filter(([how]) => !/owner that is none/.test(how));

  test.each(broken)('a file that is %s is refused with what to do, and stops no other host', async (how, damage) => {
    for (const host of ['host-1', 'host-2']) await (await Identity.load(folder.path, host, ids)).beforeJoin();
    await damage(identity());
    const error = await Identity.load(folder.path, 'host-1', ids).catch((thrown) => thrown);
    expect(error).toMatchObject({ retry: 'terminal', message: expect.stringContaining(identity()) });
    expect(error.message.length, how).toBeLessThan(500);
    const driver = () => new SimulatedHost({ clock, random: realAmbient().random } as never);
    const log: string[] = [];
    const agent = await runAgent({
      ...{
        server: 'https://127.0.0.1:1',
        tokenFile: join(folder.path, 'none'),
        dataDir: folder.path,
        ambient: realAmbient(),
      },
      hosts: ['host-1', 'host-2'].map((name) => ({ name, driver: driver(), tunnelAddress: '' })),
      log: (line) => log.push(line),
    });
    await agent.stop();
    expect(log.join('\n')).toContain('host-1 is left out: ');
    expect(log.join('\n')).not.toContain('host-2 is left out');
  });

  test.each(broken)('a spare that is %s is made anew', async (_, damage) => {
    const files = withSpares();
    await files.write(identity(), 'x');
    const spare = `${identity()}.spare`;
    await damage(spare);
    await files.write(identity(), 'y');
    expect(await files.read(identity())).toBe('y');
  });

  test.each(broken)("the control plane's certificate that is %s is refused with what to do", async (_, damage) => {
    const path = join(folder.path, 'control-plane.crt');
    await writeFile(path, 'instead of x\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', {
      mode: 0o600,
    });
    await damage(path);
    const trust = new Trust({
      server: 'https://127.0.0.1:1',
      tokenFile: join(folder.path, 'none'),
      dataDir: folder.path,
      clock,
    });
    await expect(trust.keptPin()).rejects.toMatchObject({ retry: 'terminal', message: expect.stringContaining(path) });
  });

  test('a lock that is none is refused with what to do', async () => {
    await mkdir(join(folder.path, 'locks'), { mode: 0o700 });
    await writeFile(join(folder.path, 'locks/host-1'), Buffer.alloc(5000, 0xff));
    expect(() => lockDataFolder(folder.path, ['host-1'])).toThrow(/locks\/host-1.*Remove it/);
  });
});
