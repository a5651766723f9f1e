/**
 * `@plumb/bindings`: classes for every resource and data source of the provider, for CDKTF and for its living fork, made from
 * the provider's own schema: `npm run build`, or `node scripts/build-bindings.ts` alone. Terraform is not needed for it.
 */
import { existsSync, globSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaJson } from './bindings/schema-json.ts';
import { isUpToDate, remember, root } from './build-inputs.ts';
import { run } from './run.ts';
import { served } from './terraform-docs/schema.ts';

const MAKERS = ['cdktf', 'cdktn'] as const;
const folder = join(root, 'bindings', 'dist');
/** They are made of these besides the schema. */
const INPUTS = ['scripts/build-bindings.ts', 'scripts/bindings/generate.ts', 'bindings/package.json'];

/** Returns a line that says what was made. */
export async function buildBindings(): Promise<string> {
  const schema = JSON.stringify(schemaJson(await served()));
  const made = MAKERS.flatMap((maker) => [join(folder, maker, 'index.js'), join(folder, maker, 'index.d.ts')]);
  if (isUpToDate('bindings', schema, made)) return 'bindings: unchanged';
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // The makers write imports without extensions, which only CommonJS has.
  writeFileSync(join(folder, 'package.json'), '{"type": "commonjs"}\n');
  await Promise.all(MAKERS.map((maker) => make(maker, schema)));
  await compile();
  rmSync(join(folder, 'src'), { recursive: true });
  remember('bindings', schema, INPUTS);
  const classes = readdirSync(join(folder, 'cdktf', 'providers', 'plumb')).length;
  return `bindings: ${classes} classes for ${MAKERS.join(' and ')} in ${folder}`;
}

async function make(maker: (typeof MAKERS)[number], schema: string): Promise<void> {
  const source = join(folder, 'src', maker);
  await run(process.execPath, ['--no-warnings', 'scripts/bindings/generate.ts', maker, source], {
    cwd: root,
    input: schema,
    // What they would ask the network and a program on this machine, they are kept from.
    env: { CHECKPOINT_DISABLE: '1', TERRAFORM_BINARY_NAME: '/nonexistent', TF_CLI_CONFIG_FILE: undefined },
  });
  const modules = globSync('providers/plumb/*/index.ts', { cwd: source }).sort();
  const lines = modules.map((path) => `export * from './${path.replace(/\.ts$/, '')}';`);
  writeFileSync(join(source, 'index.ts'), `${lines.join('\n')}\n`);
}

/** To JavaScript with types, both at once. */
async function compile(): Promise<void> {
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = {
    ...{ target: 'ES2022', module: 'NodeNext', moduleResolution: 'NodeNext', types: ['node'], strict: true },
    ...{ skipLibCheck: true, declaration: true, rootDir: 'src', outDir: '.' },
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, include: ['src'], exclude: [] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', config], { cwd: root });
  rmSync(config);
  for (const maker of MAKERS)
    if (!existsSync(join(folder, maker, 'index.d.ts'))) throw new Error(`tsc has made no types for ${maker}`);
}

if (import.meta.main) console.log(await buildBindings());
