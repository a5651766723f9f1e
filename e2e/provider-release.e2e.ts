/** What `npm run release` makes: installed by real Terraform from its zip, on a machine without Node, and where it cannot be unpacked. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeCliConfig } from '../scripts/build-mirror.ts';
import { findProgram } from '../scripts/machine.ts';
import { type Platform, platformNamed } from '../scripts/release/platforms.ts';
import { throwawaySigner } from '../scripts/release/sign.ts';
import { zip } from '../scripts/release/zip.ts';
import { release } from '../scripts/release.ts';
import { run } from '../scripts/run.ts';
import { terraform } from './harness/machinery.ts';
import { Control } from './provider/control.ts';
import { handshake } from './provider/shim.ts';
import { Workspace } from './provider/workspace.ts';

const version = (JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string })
  .version;
const root = process.geteuid?.() === 0;
/** Go builds it; the others are those who read what is made. */
const tools = (await Promise.all(['go', 'unzip', 'gpg', 'setpriv'].map(findProgram))).every(
  (found) => found !== undefined,
);
let folder: string;
let out: string;
let here: Platform;
let binary: string;

/** Less than for what is published, since it takes two minutes; the packed files are a tenth larger. */
const LEVEL = 9;

const make = (into: string) =>
  release({
    platforms: [here],
    out: into,
    level: LEVEL,
    signer: throwawaySigner(join(folder, 'key.pem')),
    at: 1_800_000_000,
  });

beforeAll(async () => {
  if (!tools) return;
  here = platformNamed(`${platform()}_${arch() === 'x64' ? 'amd64' : arch()}`);
  folder = mkdtempSync(join(tmpdir(), 'plumb-release-'));
  out = join(folder, 'out');
  await make(out);
  await run('unzip', ['-q', join(out, `terraform-provider-plumb_${version}_${here.name}.zip`), '-d', folder]);
  binary = join(folder, `terraform-provider-plumb_v${version}`);
});

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!tools)('the files', () => {
  test('are the same bytes when they are made again', async () => {
    const again = join(folder, 'again');
    const names = await make(again);
    expect(names).toEqual(readdirSync(out).sort());
    for (const name of names)
      expect(readFileSync(join(again, name)).equals(readFileSync(join(out, name))), name).toBe(true);
    rmSync(again, { recursive: true });
  });

  test('are what the registry asks for, and their signature is good', async () => {
    const stem = `terraform-provider-plumb_${version}`;
    expect(readdirSync(out).sort()).toEqual(
      [
        'public-key.asc',
        `${stem}_SHA256SUMS`,
        `${stem}_SHA256SUMS.sig`,
        `${stem}_${here.name}.zip`,
        `${stem}_manifest.json`,
      ].sort(),
    );
    await run('sha256sum', ['--check', '--strict', `${stem}_SHA256SUMS`], { cwd: out });
    expect(readFileSync(join(out, `${stem}_SHA256SUMS`), 'utf8')).toContain(`${stem}_manifest.json`);
    expect(statSync(binary).mode & 0o777).toBe(0o755);
    const home = join(folder, 'gnupg');
    mkdirSync(home, { mode: 0o700 });
    const gpg = (...args: string[]) => run('gpg', ['--homedir', home, '--batch', ...args], { cwd: out });
    await gpg('--import', 'public-key.asc');
    expect((await gpg('--verify', `${stem}_SHA256SUMS.sig`, `${stem}_SHA256SUMS`)).stderr).toContain('Good signature');
    writeFileSync(join(folder, 'other'), 'something else\n');
    await expect(gpg('--verify', `${stem}_SHA256SUMS.sig`, join(folder, 'other'))).rejects.toThrow('BAD signature');
  });
});

describe.skipIf(!tools || !terraform)('installed by Terraform from a mirror of zips', () => {
  let control: Control;
  let workspace: Workspace;
  let mirror: string;

  beforeEach(async () => {
    control = await Control.start();
    const place = mkdtempSync(join(folder, 'machine-'));
    mirror = join(place, 'mirror');
    for (const host of ['registry.terraform.io', 'registry.opentofu.org']) {
      const layout = join(mirror, host, 'plumb', 'plumb');
      mkdirSync(layout, { recursive: true });
      for (const name of readdirSync(out).filter((one) => one.endsWith('.zip')))
        copyFileSync(join(out, name), join(layout, name));
    }
    // A machine without Node: nothing is in PATH, and no folder of this repository is known.
    workspace = new Workspace(terraform!.path, {
      KUBECONFIG: control.kubeconfig,
      PATH: join(place, 'empty'),
      HOME: place,
      XDG_CACHE_HOME: join(place, 'cache'),
      TMPDIR: place,
    });
    writeCliConfig(join(workspace.folder, 'terraform.rc'), mirror);
  });

  afterEach(async () => {
    workspace?.close();
    await control?.close();
  });

  test('it works without Node, under a lock file, and another zip of the same version is refused', async () => {
    workspace.declare('resource "plumb_zone" "home" {\n  name = "home"\n}\n');
    expect((await workspace.apply()).said).toContain('1 added');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    const [pid] = workspace.providers();
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain(
      join(dirname(mirror), 'cache', 'plumb-provider', 'runtime-'),
    );
    const lock = readFileSync(join(workspace.folder, '.terraform.lock.hcl'), 'utf8');
    expect(lock).toMatch(/"h1:[A-Za-z0-9+/]{43}="/);
    expect((await workspace.run(['init', '-lockfile=readonly'])).code).toBe(0);
    const packed = join(
      mirror,
      'registry.terraform.io/plumb/plumb',
      `terraform-provider-plumb_${version}_${here.name}.zip`,
    );
    const name = `terraform-provider-plumb_v${version}`;
    const other = Buffer.concat([readFileSync(binary), Buffer.from('\n')]);
    writeFileSync(packed, zip([{ name, content: other, mode: 0o755 }]));
    rmSync(join(workspace.folder, '.terraform'), { recursive: true });
    const refused = await workspace.run(['init']);
    expect(refused.code).toBe(1);
    expect(refused.said).toContain("doesn't match any of the checksums");
  });
});

describe.skipIf(!tools)('unpacking', () => {
  let place: string;
  let env: Record<string, string>;

  beforeEach(() => {
    place = mkdtempSync(join(folder, 'place-'));
    for (const name of ['runtime', 'temporary']) mkdirSync(join(place, name), { mode: 0o700 });
    env = {
      HOME: place,
      XDG_CACHE_HOME: join(place, 'cache'),
      XDG_RUNTIME_DIR: join(place, 'runtime'),
      TMPDIR: join(place, 'temporary'),
    };
  });

  afterEach(() => {
    endProviders(folder);
  });

  const cache = () => join(place, 'cache', 'plumb-provider');
  const parts = () => readdirSync(cache()).filter((name) => !name.endsWith('.lock'));
  const runtime = () => join(cache(), parts().find((name) => name.startsWith('runtime-'))!, 'node');

  test('happens once; half of it, or a file that was cut off, is mended', async () => {
    expect((await handshake(binary, env)).line).toMatch(/^1\|6\|unix\|/);
    expect(
      parts()
        .map((name) => name.replace(/-.*/, ''))
        .sort(),
    ).toEqual(['program', 'runtime']);
    const { ino, size } = statSync(runtime());
    await handshake(binary, env);
    expect(statSync(runtime()).ino).toBe(ino);
    endProviders(folder);
    // As a machine leaves it that lost its power in the middle.
    const cutOff = readFileSync(runtime()).subarray(0, size / 2);
    rmSync(runtime());
    writeFileSync(runtime(), cutOff, { mode: 0o500 });
    const half = join(cache(), `${parts().find((name) => name.startsWith('program-'))}.part-123`);
    mkdirSync(half);
    rmSync(half.replace('.part-123', ''), { recursive: true });
    expect((await handshake(binary, env)).line).toMatch(/^1\|6\|unix\|/);
    expect(statSync(runtime()).size).toBe(size);
    expect(existsSync(half)).toBe(false);
  });

  test('many at the same time unpack it once, and share one process', async () => {
    const lines = await Promise.all(Array.from({ length: 4 }, () => handshake(binary, env)));
    for (const { line } of lines) expect(line).toMatch(/^1\|6\|unix\|/);
    expect(parts()).toHaveLength(2);
    expect(processes(folder)).toHaveLength(1);
  });

  test('a binary that was damaged is told of, and nothing of it is run', async () => {
    const damaged = join(place, 'damaged');
    const content = readFileSync(binary);
    // In the middle of the packed runtime, which is most of it.
    content.fill(0, content.length >> 1, (content.length >> 1) + 4096);
    writeFileSync(damaged, content, { mode: 0o755 });
    const { line } = await handshake(damaged, env);
    expect(line).toMatch(/^Plumb's provider cannot start: its runtime \(\d+ MB\) cannot be unpacked: /);
    expect(line).not.toContain('goroutine');
    expect(parts()).toEqual([]);
  });

  test.runIf(root)(
    'a full disk and a read-only folder are passed over, and told of where they were named',
    async () => {
      const full = join(place, 'full');
      const readOnly = join(place, 'read-only');
      const mounted: string[] = [];
      const mount = async (at: string, options: string) => {
        mkdirSync(at, { mode: 0o700 });
        await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]);
        mounted.push(at);
      };
      try {
        await mount(full, 'size=4m,mode=0700');
        await mount(readOnly, 'ro,mode=0700');
        const named = (at: string) => handshake(binary, { ...env, PLUMB_PROVIDER_CACHE: join(at, 'provider') });
        expect((await named(full)).line).toMatch(
          /its runtime \(142 MB\) cannot be unpacked: .*full.*: no space left on device\. Free some space there, or name/,
        );
        expect(readdirSync(join(full, 'provider')).filter((name) => name.includes('part-'))).toEqual([]);
        expect((await named(readOnly)).line).toMatch(/cannot be unpacked: .*read-only.*: read-only file system\. Free/);
        const passed = await handshake(binary, { ...env, XDG_CACHE_HOME: readOnly });
        expect(passed.line).toMatch(/^1\|6\|unix\|/);
        expect(passed.stderr).toContain('read-only file system');
        expect(readdirSync(env.TMPDIR!)).toContain(`plumb-provider-cache-${process.getuid!()}`);
        const noExec = join(place, 'noexec');
        await mount(noExec, 'noexec,mode=0700');
        expect((await named(noExec)).line).toMatch(
          /may not be executed: is it on a file system that is mounted noexec/,
        );
      } finally {
        for (const at of mounted) await run('umount', ['-l', at]);
      }
    },
  );

  test.runIf(root)('two users have each their own, and none takes what the other could have written', async () => {
    await handshake(binary, env);
    // Whoever can enter the folder, what is in the first one's cache is not his.
    for (const open of [folder, place]) chmodSync(open, 0o755);
    const home = join(place, 'other-home');
    for (const at of [home, join(home, 'runtime'), join(home, 'temporary')]) {
      mkdirSync(at, { mode: 0o700 });
      chownSync(at, 65534, 65534);
    }
    const other = { XDG_RUNTIME_DIR: join(home, 'runtime'), TMPDIR: join(home, 'temporary'), HOME: home };
    const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const first = await handshake(binary, { ...other, XDG_CACHE_HOME: join(place, 'cache') }, wrapper);
    expect(first.line).toMatch(/^1\|6\|unix\|/);
    expect(first.stderr).toMatch(/belongs to another user|permission denied/);
    expect(statSync(join(home, 'temporary', 'plumb-provider-cache-65534')).uid).toBe(65534);
    expect(processes(folder)).toHaveLength(2);
  });

  test('two versions with one runtime live beside each other, each with its process', async () => {
    const { releaseBinary } = await import('../scripts/release/binary.ts');
    const { nodeOf } = await import('../scripts/release/node.ts');
    const { bundleProvider } = await import('../scripts/build-provider.ts');
    const kept = join(import.meta.dirname, '../.cache/release');
    const bundle = (await bundleProvider()).folder;
    const program = readdirSync(bundle)
      .filter((name) => name !== 'provider.json')
      .map((name) => ({ name, content: readFileSync(join(bundle, name)), mode: 0o400 }));
    const other = program.map((one) =>
      one.name === 'provider.mjs'
        ? { ...one, content: Buffer.concat([one.content, Buffer.from('\n// later\n')]) }
        : one,
    );
    const node = [{ name: 'node', content: (await nodeOf(here, kept)).program, mode: 0o500 }];
    const later = join(place, 'later');
    const options = { platform: here, runtime: node, program: other, level: LEVEL, cache: kept, version };
    writeFileSync(later, await releaseBinary(options), { mode: 0o755 });
    await handshake(binary, env);
    const { ino } = statSync(runtime());
    await handshake(later, env);
    expect(
      parts()
        .map((name) => name.replace(/-.*/, ''))
        .sort(),
    ).toEqual(['program', 'program', 'runtime']);
    expect(statSync(runtime()).ino).toBe(ino);
    expect(processes(folder)).toHaveLength(2);
  });
});

/** Numbers of the provider's processes that use files below a folder. */
function processes(below: string): number[] {
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return found.map(Number).filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('--warm') && line.includes(below);
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}

function endProviders(below: string): void {
  for (const pid of processes(below)) process.kill(pid, 'SIGKILL');
}
