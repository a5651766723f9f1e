/** `npm start` as a person uses it, on simulated hosts: once, staying, twice, killed, and taken down again. */
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endProcess, isRunning, type Started, signal, startProcess } from '../scripts/processes.ts';
import { endProvider } from '../scripts/provider.ts';
import { type RunResult, run } from '../scripts/run.ts';
import { ROOT } from '../scripts/setup.ts';
import { readSession } from '../scripts/start/session.ts';
import { Api, isReady } from './harness/api.ts';
import { freePort } from './harness/estate.ts';
import { terraform } from './harness/machinery.ts';

describe.skipIf(!terraform)('npm start', () => {
  let folder: string;
  let dataDir: string;
  let options: string[];
  const started: Started[] = [];

  beforeEach(async () => {
    folder = await mkdtemp('/tmp/plumb-start-');
    dataDir = join(folder, 'data');
    options = ['--simulated', '--data-dir', dataDir, '--port', String(await freePort())];
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await endProcess(one);
    for (const left of (await readSession(dataDir))?.processes ?? []) await endProcess(left);
    await endProvider(folder);
    await rm(folder, { recursive: true, force: true });
  });

  const script = join(ROOT, 'scripts/start.sh');
  const env = () => ({ XDG_RUNTIME_DIR: folder });
  const toItsEnd = (...more: string[]): Promise<RunResult> =>
    run('sh', [script, ...options, ...more], { env: env(), accept: [0, 1], timeoutMs: 120_000 });

  /** Resolves when it says that it is ready. */
  const staying = async (name: string): Promise<{ process: Started; said: () => Promise<string> }> => {
    const log = join(folder, `${name}.log`);
    const process = startProcess('sh', [script, ...options], { log, env: env() });
    started.push(process);
    const said = () => readFile(log, 'utf8');
    while (!/^Ready after/m.test(await said())) {
      if (!isRunning(process)) throw new Error(`it ended:\n${await said()}`);
      await delay(50); // It says so in its log, and nobody is told when.
    }
    return { process, said };
  };

  test('--once verifies, destroys, and says that nothing is left', async () => {
    const { code, stdout } = await toItsEnd('--once');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ terraform apply .*8 added/m);
    expect(stdout).toMatch(/^✓ Second plan .*No changes/m);
    expect(stdout).toMatch(/^✓ terraform destroy .*8 destroyed/m);
    expect(stdout).toMatch(/^Done in .*: nothing is left\.$/m);
  });

  test('--once fails with exit code 1 when a step fails, and says what to do', async () => {
    await mkdir(join(dataDir, 'quickstart'), { recursive: true, mode: 0o700 });
    await writeFile(join(dataDir, 'quickstart/main.tf'), 'no HCL');
    const { code, stdout } = await toItsEnd('--once');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ terraform init/m);
    expect(stdout).toMatch(/What to do: read what it says/);
  });

  test('a port that another program has is said before anything is set up', async () => {
    const port = await takenPort();
    const { code, stdout, stderr } = await toItsEnd('--once', '--port', String(port));
    expect(code).toBe(1);
    expect(stderr).toContain(`another program listens on 127.0.0.1:${port} already`);
    expect(stderr).toContain(`--port ${port + 1}`);
    expect(stdout).not.toMatch(/^[✓✗]/m);
    await expect(access(dataDir)).rejects.toThrow();
  });

  test('it stays, shows what runs, refuses to run twice, and ends on Ctrl-C', async () => {
    const { process, said } = await staying('first');
    expect(await said()).toMatch(/web-1 +Running +host-1 +10\.20\.0\.12 +True/);
    const second = await toItsEnd();
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`already runs from ${dataDir}: process ${process.pid}`);
    signal(process, 'SIGINT');
    expect(await process.exit).toBe(0);
    expect((await readSession(dataDir))?.processes).toEqual([]);
  });

  test('it ends everything when its terminal is closed', async () => {
    const { process } = await staying('closed');
    const running = (await readSession(dataDir))?.processes ?? [];
    expect(running).toHaveLength(2);
    signal(process, 'SIGHUP');
    expect(await process.exit).toBe(0);
    expect(running.filter(isRunning)).toEqual([]);
  });

  test('what a killed start left running is ended by the next, which comes to the same; --destroy removes all, whoever declared it', async () => {
    const first = await staying('first');
    signal(first.process, 'SIGKILL');
    await first.process.exit;
    const orphans = (await readSession(dataDir))?.processes ?? [];
    expect(orphans).toHaveLength(2);
    expect(orphans.filter(isRunning)).toEqual(orphans);

    const second = await staying('second');
    expect(orphans.filter(isRunning)).toEqual([]);
    const api = new Api(join(dataDir, 'kubeconfig'));
    const { spec } = (await api.until('Instance', 'web-0', 'Ready', isReady))!;
    // As the README shows it: beside Terraform, on a network that Terraform wants to remove.
    const [{ addresses: _, ...eth0 }] = (spec as { interfaces: [{ addresses?: unknown }] }).interfaces;
    await api.create({ kind: 'Instance', metadata: { name: 'db-0' }, spec: { ...spec, interfaces: [eth0] } });
    await api.until('Instance', 'db-0', 'Ready', isReady);
    signal(second.process, 'SIGTERM');
    expect(await second.process.exit).toBe(0);

    const { stdout } = await toItsEnd('--destroy');
    expect(stdout).toMatch(/This deletes 1 objects:\n +instance\/db-0/);
    expect(stdout).toMatch(/8 destroyed/);
    await expect(access(dataDir)).rejects.toThrow();
  });
});

/** A port that somebody listens on while this process lives. */
function takenPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
