/** A filesystem mirror: the folder from which terraform and tofu install the provider, in their own layout. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { dist, root } from './build-inputs.ts';

/** Where `plumb/plumb` is looked up: Terraform's default registry and OpenTofu's. */
const HOSTS = ['registry.terraform.io', 'registry.opentofu.org'];

export const mirrorPath = join(dist, 'mirror');

/** Puts the bundle and the shim where both programs look, under the version in package.json. */
export function layMirror(bundle: string, shim: string): { path: string; line: string } {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const files = new Map(readdirSync(bundle).map((name) => [name, join(bundle, name)]));
  files.set(`terraform-provider-plumb_v${version}`, shim);
  let changed = false;
  for (const host of HOSTS) {
    const folder = join(mirrorPath, host, 'plumb', 'plumb', version, goPlatform());
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name), { recursive: true });
    for (const [name, from] of files) changed = place(from, join(folder, name)) || changed;
  }
  return { path: mirrorPath, line: `mirror: ${changed ? `plumb/plumb ${version} in ${mirrorPath}` : 'unchanged'}` };
}

/** Copies unless the same is there. The old file stays whole until the new one is: terraform may be running it. */
function place(from: string, to: string): boolean {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return false;
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
  return true;
}

/**
 * Writes a CLI configuration (for `TF_CLI_CONFIG_FILE`) by which terraform and tofu take plumb/plumb from the mirror and
 * everything else from where they always do. Make the mirror first: `npm run build`.
 */
export function writeCliConfig(file: string, mirror: string = mirrorPath): void {
  const addresses = JSON.stringify(HOSTS.map((host) => `${host}/plumb/plumb`));
  const text = `provider_installation {
  filesystem_mirror {
    path    = ${quoted(mirror)}
    include = ${addresses}
  }
  direct {
    exclude = ${addresses}
  }
}
`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A string of HCL. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/([$%])\{/g, '$1$1{');
}

/** `linux_amd64`, as Go names this machine. */
function goPlatform(): string {
  return `${platform()}_${arch() === 'x64' ? 'amd64' : arch()}`;
}
