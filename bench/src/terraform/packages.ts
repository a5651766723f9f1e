/** Providers as Terraform installs them: released binaries in a mirror, ours and an empty one in the same frame. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundle } from '../../../scripts/build-provider.ts';
import { type Carried, releaseBinary } from '../../../scripts/release/binary.ts';
import { nodeOf } from '../../../scripts/release/node.ts';
import { platformNamed } from '../../../scripts/release/platforms.ts';
import { ROOT } from '../machine.ts';

/** What is published takes two minutes more, and is a tenth smaller. */
const LEVEL = 9;
const VERSION = '0.0.1';
const CACHE = join(ROOT, '.cache', 'release');

/** Lays a mirror with both into `folder`. Returns the text of a CLI configuration that takes them from there. */
export async function layProviders(folder: string): Promise<string> {
  const here = platformNamed(`${platform()}_${arch() === 'x64' ? 'amd64' : arch()}`);
  const runtime: Carried[] = [{ name: 'node', content: (await nodeOf(here, CACHE)).program, mode: 0o500 }];
  const wire = join(ROOT, 'provider/src/wire');
  const protos = readdirSync(wire)
    .filter((name) => name.endsWith('.proto'))
    .map((name) => ({ name, content: readFileSync(join(wire, name)), mode: 0o400 }));
  const programs = { plumb: await ours(), nothing: await empty() };
  for (const [name, content] of Object.entries(programs)) {
    const program = [{ name: 'provider.mjs', content, mode: 0o400 }, ...protos];
    const at = join(folder, 'registry.terraform.io/plumb', name, VERSION, here.name);
    mkdirSync(at, { recursive: true });
    const options = { platform: here, runtime, program, level: LEVEL, cache: CACHE, version: VERSION };
    writeFileSync(join(at, `terraform-provider-${name}_v${VERSION}`), await releaseBinary(options), { mode: 0o755 });
    copyFileSync(join(ROOT, 'LICENSE'), join(at, 'LICENSE'));
  }
  return `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(folder)}\n  }\n}\n`;
}

async function ours(): Promise<Buffer> {
  return Buffer.from((await bundle(join(ROOT, 'dist/provider/provider.mjs'))).outputFiles[0]!.contents);
}

/** The same bundle with other RPCs. */
async function empty(): Promise<Buffer> {
  const made = await build({
    absWorkingDir: ROOT,
    entryPoints: ['provider/src/main.ts'],
    outfile: join(ROOT, 'dist/provider/provider.mjs'),
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'silent',
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    plugins: [
      {
        name: 'empty',
        setup(one) {
          one.onResolve({ filter: /rpc\/index\.ts$/ }, () => ({ path: join(import.meta.dirname, 'empty-rpcs.ts') }));
        },
      },
    ],
  });
  return Buffer.from(made.outputFiles[0]!.contents);
}
