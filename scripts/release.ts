/**
 * `npm run release -- --dry-run`: what Terraform's registry asks for, in dist/release: a zip for each platform, the manifest,
 * checksums, a signature with a throwaway key and its public key. The same source, key and time make the same bytes.
 *
 *   --platform linux_amd64   of these alone; may be repeated
 *   --out DIR                instead of dist/release
 *   --level N                how hard zstd tries (1 to 22; 19 if absent)
 *   --key FILE --user "NAME <ADDRESS>" --key-made SECONDS
 *                            instead of --dry-run: sign with this RSA key in PEM
 *
 * SOURCE_DATE_EPOCH is the time of the signature; the time of the last commit, if it is not set. Nothing is published: upload
 * what is in the folder to the release of the repository that the registry follows.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dist, root } from './build-inputs.ts';
import { bundledFile, bundleProvider } from './build-provider.ts';
import { type Carried, RELEASE_LEVEL, releaseBinary } from './release/binary.ts';
import { nodeOf } from './release/node.ts';
import { notices } from './release/notices.ts';
import { armoured, detachedSignature, fingerprint, publicKey, type Signer } from './release/openpgp.ts';
import { PLATFORMS, type Platform, platformNamed } from './release/platforms.ts';
import { signerFrom, throwawaySigner } from './release/sign.ts';
import { zip } from './release/zip.ts';
import { run } from './run.ts';

export interface Release {
  platforms: readonly Platform[];
  out: string;
  level: number;
  signer: Signer;
  /** Time of the signature, in seconds since the epoch. */
  at: number;
  onLine?: (line: string) => void;
}

const cache = join(root, '.cache', 'release');
/** The protocol that the provider speaks, as the registry tells it to Terraform. */
const MANIFEST = { version: 1, metadata: { protocol_versions: ['6.0'] } };

/** Makes it. Returns the names of the files in `out`. Throws an Error whose message says what is wrong. */
export async function release({ platforms, out, level, signer, at, onLine = () => {} }: Release): Promise<string[]> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const name = `terraform-provider-plumb_${version}`;
  const { folder } = await bundleProvider();
  const program = programIn(folder);
  const bundled = JSON.parse(readFileSync(bundledFile, 'utf8')) as string[];
  const licence = readFileSync(join(root, 'LICENSE'));
  const files = new Map<string, Buffer>();
  for (const platform of platforms) {
    const node = await nodeOf(platform, cache);
    const runtime: Carried[] = [{ name: 'node', content: node.program, mode: 0o500 }];
    const binary = await releaseBinary({ platform, runtime, program, level, cache, version });
    const packed = zip([
      { name: `terraform-provider-plumb_v${version}`, content: binary, mode: 0o755 },
      { name: 'LICENSE', content: licence, mode: 0o644 },
      { name: 'THIRD-PARTY-LICENSES', content: Buffer.from(await notices(bundled, node.licence)), mode: 0o644 },
    ]);
    files.set(`${name}_${platform.name}.zip`, packed);
    onLine(`${platform.name}: a binary of ${megabytes(binary)}, ${megabytes(packed)} as a zip`);
  }
  if (platforms.length === PLATFORMS.length) onLine(await compilesForWindows());
  files.set(`${name}_manifest.json`, Buffer.from(`${JSON.stringify(MANIFEST, null, 2)}\n`));
  const sums = Buffer.from(sumsOf(files));
  files.set(`${name}_SHA256SUMS`, sums);
  files.set(`${name}_SHA256SUMS.sig`, detachedSignature(signer, sums, at));
  files.set('public-key.asc', Buffer.from(armoured(publicKey(signer), 'PUBLIC KEY BLOCK')));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const [file, content] of files) writeFileSync(join(out, file), content);
  onLine(`signed with the key ${fingerprint(signer)}`);
  return [...files.keys()].sort();
}

/** The bundle with what it reads beside it, and not the note which Node of this machine is to run it. */
function programIn(folder: string): Carried[] {
  const names = readdirSync(folder).filter((name) => name !== 'provider.json');
  return names.sort().map((name) => ({ name, content: readFileSync(join(folder, name)), mode: 0o400 }));
}

/** As `sha256sum` writes and reads it. */
function sumsOf(files: ReadonlyMap<string, Buffer>): string {
  const line = ([name, content]: [string, Buffer]) =>
    `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(line)
    .join('');
}

function megabytes({ length }: Buffer): string {
  return `${(length / 1e6).toFixed(1)} MB`;
}

/** It is not shipped, since Node listens on no socket there that the shim could use. */
async function compilesForWindows(): Promise<string> {
  const env = { GOOS: 'windows', GOARCH: 'amd64', CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' };
  await run('go', ['vet', '-tags=packed', '.'], { cwd: join(root, 'go-shim'), env });
  return 'windows_amd64: compiles, and would only say that it does not run there; not part of the release';
}

async function commitTime(): Promise<number> {
  return Number((await run('git', ['log', '-1', '--format=%ct'], { cwd: root })).stdout);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      platform: { type: 'string', multiple: true },
      out: { type: 'string', default: join(dist, 'release') },
      level: { type: 'string', default: String(RELEASE_LEVEL) },
      key: { type: 'string' },
      user: { type: 'string' },
      'key-made': { type: 'string' },
    },
  });
  const { key, user, 'key-made': made } = values;
  if (!values['dry-run'] && (key === undefined || user === undefined || made === undefined)) {
    console.error(
      'name the key with --key, --user and --key-made, or try it with --dry-run, which takes a throwaway key',
    );
    process.exit(2);
  }
  const signer =
    key !== undefined && user !== undefined
      ? signerFrom(key, user, Number(made))
      : throwawaySigner(join(cache, 'throwaway-key.pem'));
  const files = await release({
    platforms: values.platform?.map(platformNamed) ?? PLATFORMS,
    out: resolve(values.out),
    level: Number(values.level),
    signer,
    at: Number(process.env.SOURCE_DATE_EPOCH ?? (await commitTime())),
    onLine: console.log,
  });
  console.log(`${files.length} files in ${resolve(values.out)}`);
}
