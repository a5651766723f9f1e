/**
 * Bills of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), written with every build and the same whenever
 * the same is built:
 *
 *   dist/bom.cdx.json      what is in dist/: its files, and the packages and modules that went into them
 *   dist/runtime.cdx.json  what server, agent and the plumb command run with: their packages, and the pinned Node
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist, isUpToDate, remember, root } from '../build-inputs.ts';
import { bundledFile } from '../build-provider.ts';
import { run } from '../run.ts';
import { type Lock, type LockPackage, type Manifest, NODE_PACKAGES, nameOf } from './lock.ts';

export const billFile = join(dist, 'bom.cdx.json');
const runtimeFile = join(dist, 'runtime.cdx.json');

export interface Component {
  type: 'library' | 'file' | 'application';
  name: string;
  version?: string;
  'bom-ref': string;
  purl?: string;
  scope?: 'required' | 'optional';
  hashes?: { alg: 'SHA-256' | 'SHA-512'; content: string }[];
  licenses?: [{ expression: string }];
}

export interface Bill {
  bomFormat: 'CycloneDX';
  specVersion: '1.6';
  serialNumber: string;
  version: 1;
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const STAMP = 'bills';
const INPUTS = [
  'package.json',
  'package-lock.json',
  'scripts/supply/bom.ts',
  'dist/.provider.stamp.json',
  'dist/.shim.stamp.json',
];

/** Writes both, unless what they are made of is as it was. Returns a line that says so. */
export async function layBills(): Promise<string> {
  if (isUpToDate(STAMP, '', [billFile, runtimeFile])) return 'bills of materials: unchanged';
  const line = await writeBills();
  remember(STAMP, '', INPUTS);
  return line;
}

async function writeBills(): Promise<string> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const bundled = JSON.parse(readFileSync(bundledFile, 'utf8')) as string[];
  const shim = join(dist, 'shim', 'terraform-provider-plumb');
  const modules = existsSync(shim) ? await goModules(shim) : [];
  const own = billOf([...filesIn(dist), ...bundled.map((path) => packageOf(lock, path)), ...modules]);
  const runtime = billOf(runtimePackages(lock));
  place(billFile, own);
  place(runtimeFile, runtime);
  return `bills of materials: ${own.components.length} components in dist, ${runtime.components.length} at run time`;
}

/** Every file below `folder` with its hash: not what the build remembers for itself, not the bills, and not a release. */
export function filesIn(folder: string): Component[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !entry.name.endsWith('.cdx.json'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !name.startsWith('release/'))
    .sort();
  return names.map((name) => {
    const content = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    return { type: 'file', name, 'bom-ref': `file:${name}`, hashes: [{ alg: 'SHA-256', content }] };
  });
}

/** A package of npm as the lock file has it. */
export function packageOf(lock: Lock, path: string): Component {
  const locked = lock.packages[path];
  if (!locked?.version) throw new Error(`${path} is used, and package-lock.json has no such package`);
  const name = nameOf(path);
  const purl = `pkg:npm/${name.replace('@', '%40')}@${locked.version}`;
  return {
    type: 'library',
    name,
    version: locked.version,
    // The same version may lie in two places.
    'bom-ref': `${purl}#${path}`,
    purl,
    scope: locked.optional ? 'optional' : 'required',
    ...(locked.integrity ? { hashes: [{ alg: 'SHA-512', content: hexOf(locked.integrity) }] } : {}),
    ...(locked.license ? { licenses: [{ expression: locked.license.replace(/^\((.*)\)$/, '$1') }] } : {}),
  };
}

/** Go's library and the modules that a binary says it was made of. */
export async function goModules(binary: string): Promise<Component[]> {
  const { stdout } = await run('go', ['version', '-m', binary]);
  const version = /: go(\S+)/.exec(stdout)?.[1] ?? 'unknown';
  const of = (name: string, at: string, licence?: string): Component => {
    const purl = `pkg:golang/${name}@${at}`;
    const licenses = licence ? { licenses: [{ expression: licence }] as [{ expression: string }] } : {};
    return { type: 'library', name, version: at, 'bom-ref': purl, purl, scope: 'required', ...licenses };
  };
  const needed = [...stdout.matchAll(/^\s+dep\s+(\S+)\s+(\S+)/gm)].map(([, name = '', at = '']) => of(name, at));
  return [of('stdlib', version, 'BSD-3-Clause'), ...needed];
}

/** What is installed to run, and not to develop. */
function runtimePackages(lock: Lock): Component[] {
  const used = ([path, { dev, link }]: [string, LockPackage]) =>
    path.includes('node_modules/') && !dev && !link && !NODE_PACKAGES.includes(nameOf(path));
  const packages = Object.entries(lock.packages).filter(used);
  const nodes = NODE_PACKAGES.map((name) => `node_modules/${name}`);
  return [...packages.map(([path]) => path), ...nodes].sort().map((path) => packageOf(lock, path));
}

function billOf(components: Component[]): Bill {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const component: Component = {
    ...{ type: 'application', name, version, 'bom-ref': `${name}@${version}`, purl: `pkg:generic/${name}@${version}` },
    licenses: [{ expression: 'Apache-2.0' }],
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components))}`,
    version: 1,
    metadata: { component },
    components,
    dependencies: [{ ref: component['bom-ref'], dependsOn: components.map((one) => one['bom-ref']) }],
  };
}

/** Whole or not at all. */
function place(file: string, bill: Bill): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify(bill, null, 2)}\n`);
  renameSync(beside, file);
}

/** npm's form of a hash, as hex digits. */
function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
}

/** A UUID that is the same for the same text: version 8 of RFC 9562. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
