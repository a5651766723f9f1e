import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connected, Stage, until } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const RUN = `import { agentCommand } from '@plumb/agent';
process.exitCode = await agentCommand(process.argv.slice(1)).catch((error) => {
  console.error(error.message);
  return 2;
});`;

/** `plumb agent` as a process of its own. */
function start(...argv: string[]): { child: ChildProcess; output: () => string; exit: Promise<number | null> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', RUN, '--', ...argv], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  const exit = once(child, 'close').then(([code]) => code as number | null);
  stage.onClose(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return { child, output: () => output, exit };
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: an agent with many hosts takes its leave and exits 0',
  async (signal) => {
    const plane = await stage.plane();
    const common = ['--server', plane.url, '--token-file', plane.pki.joinTokenFile!, '--data-dir', stage.folder];
    const { child, output, exit } = start(...common, '--driver', 'simulated', '--hosts', '20', '--prefix', 'lab');
    const names = Array.from({ length: 20 }, (_, n) => `lab-${n}`);
    await connected(plane.fleet, ...names);
    expect(plane.fleet.host('lab-19')?.facts).toMatchObject({
      cpus: 64,
      memoryMiB: 262_144,
      tunnelAddress: expect.stringMatching(/^198\.1[89]\.\d+\.20$/),
    });
    child.kill(signal);
    expect([await exit, output()]).toEqual([0, expect.stringContaining('what runs goes on')]);
    expect([...plane.fleet.hosts()].filter((host) => host.connected)).toEqual([]);
  },
);

test('an agent that is killed is known to be gone, and comes back as itself', async () => {
  const plane = await stage.plane();
  const common = ['--server', plane.url, '--token-file', plane.pki.joinTokenFile!, '--data-dir', stage.folder];
  const first = start(...common, '--driver', 'simulated', '--host', 'host-1');
  await connected(plane.fleet, 'host-1');
  first.child.kill('SIGKILL');
  await until(plane.fleet, () => !plane.fleet.host('host-1')?.connected);
  start(...common, '--driver', 'simulated', '--host', 'host-1');
  await connected(plane.fleet, 'host-1');
});

test('an agent that waits for a server that says nothing can be stopped', async () => {
  const mute = createServer(() => {});
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  stage.onClose(async () => {
    mute.close();
  });
  const tokenFile = join(stage.folder, 'token');
  await writeFile(tokenFile, `${'x'.repeat(43)}.${'0'.repeat(64)}`);
  const server = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const dialled = once(mute, 'connection');
  const agent = start(
    '--server',
    server,
    '--token-file',
    tokenFile,
    '--data-dir',
    stage.folder,
    '--driver',
    'simulated',
  );
  await dialled;
  const asked = Date.now();
  agent.child.kill('SIGTERM');
  expect(await agent.exit).toBe(0);
  expect(Date.now() - asked).toBeLessThan(5_000);
});

test('wrong arguments are named, all of them, and end it', async () => {
  const { exit, output } = start('--driver', 'magic', '--server', 'ftp://x');
  expect(await exit).toBe(2);
  for (const part of ['--server must be', '--token-file is required', '--driver must be libvirt or simulated'])
    expect(output()).toContain(part);
});
