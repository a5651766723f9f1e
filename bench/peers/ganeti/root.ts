import { access, chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debPackage, unpackDeb } from '../../../scripts/debian.ts';
import { run } from '../../../scripts/run.ts';
import { ROOT } from '../../src/machine.ts';

/** A file system with Debian and Ganeti's packages as Debian ships them; nothing of it is installed on the machine. */
export interface GanetiRoot {
  path: string;
  versions: Record<string, string>;
}

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
const PACKAGES = ['ganeti', 'openssh-client', 'iproute2'];
const CACHE = join(ROOT, '.cache', 'peers', 'ganeti');

/** Namespaces of its own, which take mounts and processes along when they end. */
export const APART = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];

/** Makes it once: about a minute and 90 MB from Debian's mirror. Needs root. */
export async function makeGanetiRoot(say: (line: string) => void): Promise<GanetiRoot> {
  const path = join(CACHE, `root-${SUITE}`);
  if (!(await exists(path))) {
    if (process.getuid?.() !== 0)
      throw new Error('Ganeti needs namespaces and a folder of its own as root: run as root');
    say(`unpacking Debian ${SUITE} with Ganeti into a folder of its own, once`);
    const unfinished = `${path}.new`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(CACHE, { recursive: true });
    await bootstrap(unfinished);
    await install(unfinished);
    await rename(unfinished, path);
  }
  return { path, versions: await versions(path) };
}

async function bootstrap(target: string): Promise<void> {
  const tool = await unpackDeb(await debPackage('debootstrap', CACHE), join(CACHE, 'debootstrap'));
  const script = join(tool, 'usr', 'sbin', 'debootstrap');
  await apart(['sh', script, '--variant=minbase', SUITE, target, MIRROR], {
    DEBOOTSTRAP_DIR: join(tool, 'usr', 'share', 'debootstrap'),
  });
}

async function install(root: string): Promise<void> {
  // 101: installing a package starts nothing.
  const policy = join(root, 'usr', 'sbin', 'policy-rc.d');
  await writeFile(policy, '#!/bin/sh\nexit 101\n');
  await chmod(policy, 0o755);
  const command = 'mount -t proc proc "$1/proc" && shift && exec "$@"';
  const inside = ['chroot', root, 'apt-get', '-q', 'install', '-y', '--no-install-recommends', ...PACKAGES];
  await apart(['sh', '-c', command, 'sh', root, ...inside], { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' });
}

function apart(command: readonly string[], env: Record<string, string>) {
  return run('nice', ['-n', '19', 'unshare', ...APART, ...command], { env });
}

async function versions(root: string): Promise<Record<string, string>> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders.
  const format = '${Package} ${Version}\n';
  const names = ['ganeti', 'ganeti-haskell-3.0', 'python3'];
  const { stdout } = await run('chroot', [root, 'dpkg-query', '-W', '-f', format, ...names]);
  const lines = stdout.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    async () => (await readdir(path)).length > 0,
    () => false,
  );
}
