/**
 * `npm run build`: the command's and the provider's bundles, the shim, the mirror that terraform installs them from, bills of
 * materials, and the classes for TypeScript (`@plumb/bindings`). What has not changed is not made again. `--cli-config FILE` also writes a configuration for terraform that names the mirror.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildBindings } from './build-bindings.ts';
import { bundleCommand } from './build-command.ts';
import { buildKustomize } from './build-kustomize.ts';
import { layMirror, writeCliConfig } from './build-mirror.ts';
import { bundleProvider } from './build-provider.ts';
import { buildShim } from './build-shim.ts';
import { layBills } from './supply/bom.ts';

export interface Built {
  /** The mirror, ready for `writeCliConfig`; undefined where Go is missing and the provider must be reattached. */
  mirror: string | undefined;
  /** One line for each part: what was made, or why not. */
  lines: string[];
}

/** Builds what is out of date. Throws an Error whose message is what the compiler said. */
export async function build(): Promise<Built> {
  const [bundle, shim, command, kustomize] = await Promise.all([
    ...([bundleProvider(), buildShim(), bundleCommand(), buildKustomize()] as const),
  ]);
  const lines = [bundle.line, shim.line, command, kustomize.line];
  const mirror = shim.path === undefined ? undefined : layMirror(bundle.folder, shim.path);
  if (mirror) lines.push(mirror.line);
  lines.push(await layBills());
  return { mirror: mirror?.path, lines };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { 'cli-config': { type: 'string' } } });
  const started = performance.now();
  const { mirror, lines } = await build();
  for (const line of [...lines, await buildBindings()]) console.log(line);
  const file = values['cli-config'];
  if (file !== undefined && mirror !== undefined) {
    writeCliConfig(resolve(file));
    console.log(`${file}: use it with TF_CLI_CONFIG_FILE=${resolve(file)}`);
  }
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
