/** The texts that `-f` names: files, the manifests of folders, standard input. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { terminal } from '@plumb/schemas/meta/error.ts';

export interface ManifestFile {
  file: string;
  bytes: Uint8Array;
}

const EXTENSIONS = new Set(['.yaml', '.yml', '.json']);

/** `recursive`: folders with what is in folders below them. Throws PlumbError `NoSuchFile` or `NoManifest` (terminal). */
export async function readSources(
  sources: readonly string[],
  stdin: () => Promise<Uint8Array>,
  recursive = false,
): Promise<ManifestFile[]> {
  const read: ManifestFile[] = [];
  for (const source of sources) {
    if (source === '-') {
      read.push({ file: 'standard input', bytes: await stdin() });
      continue;
    }
    const found = await stat(source).catch(() => undefined);
    if (!found) throw terminal('NoSuchFile', `there is no file or folder ${source}`);
    const files = found.isDirectory() ? await manifestFiles(source, recursive) : [source];
    for (const file of files) read.push({ file, bytes: await bytesOf(file) });
  }
  return read;
}

async function bytesOf(file: string): Promise<Uint8Array> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw terminal('NoSuchFile', `${file} cannot be read: ${error.code ?? error.message}`);
  });
}

async function manifestFiles(folder: string, recursive: boolean): Promise<string[]> {
  const names = (await readdir(folder, { recursive })).filter((name) => EXTENSIONS.has(extname(name))).sort();
  if (names.length === 0) throw terminal('NoManifest', `the folder ${folder} holds no .yaml, .yml or .json file`);
  return names.map((name) => join(folder, name));
}
