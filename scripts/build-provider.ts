/** The provider as one file for Node, with what it reads beside it. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildResult, build } from 'esbuild';
import { dist, isUpToDate, remember, root } from './build-inputs.ts';

/** The packages that the bundle holds, for its bill of materials. */
export const bundledFile = join(dist, '.provider.packages.json');

const wire = ['tfplugin6.proto', 'go-plugin.proto', 'health.proto'];

export interface Bundle {
  /** The folder with provider.mjs, provider.json and the .proto files. */
  folder: string;
  line: string;
}

/** Bundles provider/src/main.ts, and notes in provider.json which Node is to run it: the pinned one. */
export async function bundleProvider(): Promise<Bundle> {
  const folder = join(dist, 'provider');
  const program = join(folder, 'provider.mjs');
  const note = join(folder, 'provider.json');
  const node = process.execPath;
  if (isUpToDate('provider', node, [program, note, bundledFile, ...wire.map((file) => join(folder, file))])) {
    return { folder, line: 'provider: unchanged' };
  }
  mkdirSync(folder, { recursive: true });
  const result = await bundle(program);
  for (const { path, contents } of result.outputFiles) writeFileSync(path, contents);
  writeFileSync(bundledFile, `${JSON.stringify(bundledPackages(result))}\n`);
  for (const file of wire) copyFileSync(join(root, 'provider/src/wire', file), join(folder, file));
  writeFileSync(note, `${JSON.stringify({ node })}\n`);
  const sources = wire.map((file) => `provider/src/wire/${file}`);
  remember('provider', node, [...Object.keys(result.metafile.inputs), ...sources, 'scripts/build-provider.ts']);
  return { folder, line: `provider: ${Math.round(readFileSync(program).length / 1024)} KiB` };
}

type Bundled = BuildResult<{ metafile: true; write: false }>;

/** The bundle as it is to be written to `program`. */
export function bundle(program: string): Promise<Bundled> {
  return build({
    absWorkingDir: root,
    entryPoints: ['provider/src/main.ts'],
    outfile: program,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    // CommonJS dependencies ask for Node's modules by require.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  });
}

/** Folders in node_modules of the packages of which anything is in the bundle, sorted. */
export function bundledPackages({ metafile }: Pick<Bundled, 'metafile'>): string[] {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const found = inputs.flatMap(([path, { bytesInOutput }]) => {
    const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path) ?? [];
    return folder !== undefined && bytesInOutput > 0 ? [folder] : [];
  });
  return [...new Set(found)].sort();
}
