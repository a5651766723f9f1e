/**
 * The `plumb` command as a few files instead of some hundred: what it costs to start is mostly to find and to read modules. Only the
 * launcher uses it (`bin/plumb.mjs`), and only as long as every source is as it was, by size and time of change: reading all of them
 * would cost what the bundle saves.
 */
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { dist, inputsOf, isUpToDate, remember, root } from './build-inputs.ts';

/** Returns a line that says what was done. */
export async function bundleCommand(): Promise<string> {
  const folder = join(dist, 'command');
  const list = join(folder, 'inputs.json');
  const setting = process.version;
  if (isUpToDate('command', setting, [list, join(folder, 'command.js')])) {
    // A checkout may have written the same content anew.
    writeList(list, inputsOf('command'));
    return 'command: unchanged';
  }
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['bin/command.ts'],
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    // CommonJS dependencies ask for Node's modules by require.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  });
  // Without its list it is not used: there is no moment at which half of it could be.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  const inputs = [...Object.keys(metafile.inputs), 'scripts/build-command.ts'];
  remember('command', setting, inputs);
  writeList(list, inputs);
  const bytes = outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
  return `command: ${Math.round(bytes / 1024)} KiB`;
}

function writeList(list: string, inputs: readonly string[]): void {
  // Packages change with the lock file only.
  const watched = [...inputs.filter((path) => !path.startsWith('node_modules/')), 'package-lock.json'];
  const stamps = watched.map((path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    return [path, size, mtimeMs];
  });
  writeFileSync(`${list}.new`, JSON.stringify(stamps));
  renameSync(`${list}.new`, list);
}
