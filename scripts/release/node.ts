/** The Node of a platform: from the packages that are installed here, else from npm, whole and as it is pinned. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build-inputs.ts';
import { run } from '../run.ts';
import type { Lock } from '../supply/lock.ts';
import { NODE_VERSION, type Platform } from './platforms.ts';

export interface NodeOf {
  program: Buffer;
  licence: string;
  /** SHA-512 of the package's archive, as package-lock.json has it. */
  integrity: string;
}

/** `cache`: where what was fetched is kept. Throws an Error that says what is not as it is pinned. */
export async function nodeOf(platform: Platform, cache: string): Promise<NodeOf> {
  const { nodePackage, nodeSha256 } = platform;
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const { version, integrity } = lock.packages[`node_modules/${nodePackage}`] ?? {};
  if (version !== NODE_VERSION || !integrity)
    throw new Error(
      `package-lock.json has ${nodePackage} ${version}, and scripts/release/platforms.ts hashes of ${NODE_VERSION}`,
    );
  const folder = await folderWith(nodePackage, integrity, cache);
  const program = readFileSync(join(folder, 'bin/node'));
  const found = createHash('sha256').update(program).digest('hex');
  if (found !== nodeSha256)
    throw new Error(`the program in ${folder} has the hash ${found}, and should have ${nodeSha256}: remove the folder`);
  return { program, licence: readFileSync(join(folder, 'LICENSE'), 'utf8'), integrity };
}

async function folderWith(name: string, integrity: string, cache: string): Promise<string> {
  const installed = join(root, 'node_modules', name);
  if (existsSync(join(installed, 'bin/node'))) return installed;
  const folder = join(cache, `${name}-${NODE_VERSION}`);
  if (existsSync(folder)) return folder;
  const building = `${folder}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    const { stdout } = await run('npm', ['pack', '--silent', '--prefer-offline', `${name}@${NODE_VERSION}`], {
      cwd: building,
    });
    const archive = join(building, stdout.trim());
    const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (hash !== integrity)
      throw new Error(`${name} from the registry has ${hash}, and package-lock.json ${integrity}`);
    await run('tar', ['-xzf', archive, '-C', building, 'package/bin/node', 'package/LICENSE']);
    renameSync(join(building, 'package'), folder);
    return folder;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}
