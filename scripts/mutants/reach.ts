/** Which tests reach a source by their imports, and over how many files: the nearest are asked first, and the others never. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IMPORT = /(?:from|import)\s*\(?\s*'((?:\.{1,2}|@plumb)\/[^']+)'/g;

/** Files below the folders and what they import, as far as it is ours. */
export function importsBelow(root: string, folders: readonly string[]): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const folder of folders)
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.includes('node_modules')) continue;
      const file = join(root, folder, name);
      graph.set(file, importsOf(root, file, readFileSync(file, 'utf8')));
    }
  return graph;
}

export function importsOf(root: string, file: string, source: string): string[] {
  return [...source.matchAll(IMPORT)].map(([, path]) => {
    if (path!.startsWith('.')) return join(dirname(file), path!);
    const [, name, ...rest] = path!.split('/');
    const inside = rest.length > 0 ? join(root, name!, 'src', ...rest) : join(root, name!, 'src', 'index.ts');
    return existsSync(inside) ? inside : join(root, name!, ...rest);
  });
}

/** Each file from which `target` is reached, with the number of imports between the two. */
export function distancesTo(target: string, graph: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const importers = new Map<string, string[]>();
  for (const [file, imports] of graph)
    for (const imported of imports) importers.set(imported, [...(importers.get(imported) ?? []), file]);
  const found = new Map([[target, 0]]);
  for (const [file, distance] of found)
    for (const importer of importers.get(file) ?? []) if (!found.has(importer)) found.set(importer, distance + 1);
  return found;
}

/**
 * Groups of test files, the quickest to notice first: those beside the source, or that import it themselves, then the
 * others of each group that reach it at all. `groups`: folders, or the beginnings of files.
 */
export function testsFor(
  target: string,
  groups: readonly (readonly string[])[],
  graph: ReadonlyMap<string, readonly string[]>,
): string[][] {
  const distances = distancesTo(target, graph);
  const tests = [...distances].filter(([file]) => file.endsWith('.test.ts'));
  tests.sort(([a, near], [b, far]) => near - far || (a < b ? -1 : 1));
  const own = target.replace(/\.ts$/, '.test.ts');
  const left = new Map(tests);
  const take = (wanted: (file: string, distance: number) => boolean) => {
    const taken = [...left].filter(([file, distance]) => wanted(file, distance)).map(([file]) => file);
    for (const file of taken) left.delete(file);
    return taken;
  };
  const inGroups = (file: string) => groups.flat().some((start) => file.startsWith(start));
  return [
    take((file, distance) => file === own || (distance === 1 && inGroups(file))),
    ...groups.map((starts) => take((file) => starts.some((start) => file.startsWith(start)))),
  ].filter((group) => group.length > 0);
}
