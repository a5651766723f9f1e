/** A copy of the sources to which the made-up kind was added as docs/adding-a-kind.md says. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { sharePackages } from '../../../scripts/checkout.ts';
import { CACHE, ROOT } from '../../../scripts/setup.ts';
import { lines } from './lines.ts';

/** What the server, an agent and a client are made of. */
const PACKAGES = ['schemas', 'client', 'reconciler', 'agent'];
const overlay = join(import.meta.dirname, 'banner');

export interface Tree extends Disposable {
  root: string;
  /** Files of the kind, from the root. */
  own: readonly string[];
}

/** Files of the kind, from the root of the sources. */
export function ownFiles(): string[] {
  return readdirSync(overlay, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(overlay, join(entry.parentPath, entry.name)));
}

export function treeWithKind(): Tree {
  mkdirSync(CACHE, { recursive: true });
  const root = mkdtempSync(join(CACHE, 'kind-'));
  for (const name of [...PACKAGES, 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(root, name), { recursive: true, filter: (path) => !path.includes('node_modules') });
  sharePackages(root);
  const own = ownFiles();
  for (const file of own) if (existsSync(join(root, file))) throw new Error(`${file} is there already`);
  cpSync(overlay, root, { recursive: true });
  for (const [file, line] of Object.entries(lines)) {
    if (!existsSync(join(root, file))) throw new Error(`${file} is not there`);
    appendFileSync(join(root, file), `${line}\n`);
  }
  cpSync(join(import.meta.dirname, 'drive.ts'), join(root, 'drive.ts'));
  const config = { extends: './tsconfig.json', include: [...own, ...Object.keys(lines), 'drive.ts'] };
  writeFileSync(join(root, 'tsconfig.kind.json'), JSON.stringify(config));
  return { root, own, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
