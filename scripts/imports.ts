/**
 * What each folder may import. `node scripts/build-lint.ts` writes the linter's rules in `biome.json` from this table; a test says
 * when they differ, and that every rule bites.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface FolderRule {
  /** Its files, as the linter names them. */
  files: readonly string[];
  /** Names of units (packages, folders of the server, kinds) that it may import. */
  imports: readonly string[];
  /** What the linter says of any other. */
  says: string;
  /** Tests and what is made for them may import everything. */
  freeTests?: true;
}

export interface Exception {
  /** The file that may do it, from the root. */
  file: string;
  /** What it may import: the end of a path. */
  imports: string;
  because: string;
}

const root = join(import.meta.dirname, '..');
const server = 'reconciler/src';
const controllers = `${server}/controllers`;

const PRODUCTS = ['schemas', 'client', 'agent', 'provider', 'cli', 'reconciler'];
const TOOLS = ['sim', 'bench', 'e2e', 'scripts'];
const FOLDERS = [
  ...['store', 'plan', 'runtime', 'allocation', 'authorization', 'pki', 'flow', 'fleet', 'api', 'controllers'],
  ...['extensions', 'git', 'states'],
];

/** What kinds share, in folders beside theirs: the rule of the controllers is theirs. */
export const sharedFolders = ['declared', 'placed', 'testing', 'watch'];

/** Every kind has a folder of its own among the controllers. */
export const kindFolders: readonly string[] = foldersOf(controllers).filter((name) => !sharedFolders.includes(name));

/** Every unit that somebody may not import, with the patterns by which imports of it are known. */
export const units: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...[...PRODUCTS, ...TOOLS].map((name) => [name, packagePatterns(name)] as const),
  ...[...FOLDERS, ...kindFolders].map((name) => [name, [`**/${name}/**`]] as const),
]);

const BELOW_CONTROLLERS = ['store', 'plan', 'runtime', 'allocation', 'flow', 'fleet', 'git', 'authorization', 'states'];

/** By name of the folder. Who is not here, tools and tests of the whole, may import everything. */
export const rules: ReadonlyMap<string, FolderRule> = new Map([
  ['schemas', product('schemas', [], 'schemas imports no other folder')],
  ['client', product('client', ['schemas'], 'client imports schemas only, and meets the server over HTTP', true)],
  ['agent', product('agent', ['schemas'], 'agent meets the others over gRPC only')],
  ['provider', product('provider', ['schemas', 'client'], 'provider meets the others over HTTP only')],
  ['cli', product('cli', ['schemas', 'client'], 'cli is a client of the API', true)],
  ['reconciler', product('reconciler', [...FOLDERS, ...kindFolders], 'the server knows nothing of its clients', true)],
  ['store', folder('store', [], 'store imports schemas only')],
  ['states', folder('states', ['store'], 'states imports schemas and store', true)],
  ['plan', folder('plan', [], 'plan is pure and imports schemas only')],
  ['runtime', folder('runtime', ['store'], 'runtime imports schemas and store')],
  ['allocation', folder('allocation', ['store', 'plan', 'runtime'], 'allocation imports store, plan and runtime')],
  ['authorization', folder('authorization', ['store', 'runtime'], 'authorization imports schemas, store and runtime')],
  [
    'pki',
    folder('pki', ['store', 'authorization'], 'pki imports schemas and store, and knows what an identity is', true),
  ],
  ['git', folder('git', [], 'what looks at repositories knows nothing of the server', true)],
  ['flow', folder('flow', ['store', 'plan', 'fleet'], "flow imports the store's and the fleet's interfaces and plan")],
  ['fleet', folder('fleet', ['store', 'runtime'], 'fleet imports schemas, store and runtime')],
  [
    'api',
    folder(
      'api',
      ['store', 'runtime', 'authorization', 'pki', 'states'],
      'api imports store, runtime, authorization, pki and states, and knows no controller',
    ),
  ],
  [
    'extensions',
    folder(
      'extensions',
      FOLDERS.filter((name) => name !== 'allocation').concat(kindFolders),
      'extensions serve what api and controllers offer',
      true,
    ),
  ],
  ['controllers', folder('controllers', BELOW_CONTROLLERS, 'what kinds share knows no kind, nor the API', true)],
  ...kindFolders.map((kind) => [kind, kindRule(kind)] as const),
]);

/**
 * A kind imports no kind, and what they share knows none: this is what is left to mend. The list only gets shorter; a test
 * says when an exception is not needed any more.
 */
export const exceptions: readonly Exception[] = [
  {
    file: `${controllers}/list.ts`,
    imports: '*/index.ts',
    because: 'it lists every kind; the only one here that stays',
  },
  {
    file: 'agent/src/drivers/libvirt/real-host.ts',
    imports: 'scripts/*.ts',
    because: 'the conformance of the libvirt driver needs a libvirtd, which the set-up of this repository prepares',
  },
];

/** What a folder may not import, by its rule. */
export function forbidden({ imports }: FolderRule, own: string): string[] {
  const isOf = (name: string) => name === own || imports.includes(name) || name === 'schemas';
  const inside = own !== 'reconciler' && !PRODUCTS.includes(own);
  return [...units.keys()].filter((name) => {
    if (isOf(name)) return false;
    if (PRODUCTS.includes(name) || TOOLS.includes(name)) return !(inside && name === 'reconciler');
    // Folders of the server are known to the server only: the others are kept from it as a whole.
    if (!inside) return own === 'reconciler';
    // Kinds are part of the controllers; whoever may not import these may not import any.
    return !(kindFolders.includes(name) && !imports.includes('controllers') && !isController(own));
  });
}

function isController(name: string): boolean {
  return name === 'controllers' || kindFolders.includes(name);
}

function product(name: string, imports: readonly string[], says: string, freeTests?: true): FolderRule {
  return { files: [`${name}/**`], imports, says, ...(freeTests ? { freeTests } : {}) };
}

function folder(name: string, imports: readonly string[], says: string, freeTests?: true): FolderRule {
  return { files: [`${server}/${name}/**`], imports, says, ...(freeTests ? { freeTests } : {}) };
}

function kindRule(kind: string): FolderRule {
  const imports = [...BELOW_CONTROLLERS, 'controllers'];
  return {
    files: [`${controllers}/${kind}/**`],
    imports,
    says: 'a kind imports no kind, nor the API',
    freeTests: true,
  };
}

function packagePatterns(name: string): string[] {
  if (name === 'scripts') return ['**/scripts/**'];
  return [`@plumb/${name}`, `@plumb/${name}/**`, `**/${name}/src/**`];
}

/** Names of the folders in a folder of the repository. */
export function foldersOf(path: string): string[] {
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
