import { mkdir, realpath } from 'node:fs/promises';

/**
 * Makes the data folder and returns its real path: QEMU is given paths that no symbolic link can turn elsewhere, and the
 * same folder has one name. Others may pass through it, as QEMU's own user must, and may not list it.
 */
export async function prepareDataDir(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  return realpath(dataDir);
}
