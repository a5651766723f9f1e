/** Finds kernel modules in an unpacked kernel package and the order in which they are inserted. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../run.ts';

export interface KernelModule {
  name: string;
  content: Buffer;
}

/**
 * The modules called `wanted` and all that they depend on, dependencies first. What is not there as a file is built
 * into the kernel, or of another version of it, and is left out.
 */
export async function kernelModules(folder: string, wanted: readonly string[]): Promise<KernelModule[]> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true })) {
    const match = /^(.+)\.ko(\.xz)?$/.exec(basename(entry));
    if (match?.[1]) files.set(match[1].replaceAll('-', '_'), join(folder, entry));
  }
  const ordered = new Map<string, KernelModule>();
  const add = async (name: string): Promise<void> => {
    const file = files.get(name);
    if (!file || ordered.has(name)) return;
    const content = await readModule(file);
    for (const dependency of dependencies(content)) await add(dependency);
    ordered.set(name, { name, content });
  };
  for (const name of wanted) await add(name);
  return [...ordered.values()];
}

async function readModule(file: string): Promise<Buffer> {
  if (file.endsWith('.xz')) await run('xz', ['--decompress', '--keep', '--force', file]);
  return readFile(file.replace(/\.xz$/, ''));
}

/** A module names what it needs in its `.modinfo` section, as `depends=a,b` between NUL bytes. */
function dependencies(module: Buffer): string[] {
  const start = module.indexOf('\0depends=');
  if (start < 0) return [];
  const text = module.subarray(start + 9, module.indexOf('\0', start + 9)).toString('latin1');
  return text.split(',').filter((name) => name !== '');
}
