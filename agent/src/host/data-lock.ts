/** One agent for one data folder: two of them would speak in turns for the same host, and carry out each its own commands. */
import { join } from 'node:path';
import { PlumbError, terminal } from '@plumb/schemas';
import { hold } from '@plumb/schemas/files/hold.ts';
import { openPrivateFolder } from '@plumb/schemas/files/private-folder.ts';

/**
 * Takes what these names stand for in the data folder, for this process alone and until it ends, however it ends. Simulated hosts
 * and a real one may share a folder: each agent takes its first host, and the one with libvirt what lies there. Throws PlumbError
 * `DataFolderInUse` (terminal).
 */
export function lockDataFolder(dataDir: string, names: readonly string[]): Disposable {
  const folder = openPrivateFolder(join(dataDir, 'locks'));
  using taken = new DisposableStack();
  for (const name of names) {
    try {
      const held = hold(join(folder, name));
      taken.defer(() => held.close());
    } catch (error) {
      if (!isBusy(error)) {
        const { message } = PlumbError.from(error, join(folder, name));
        throw terminal('InvalidLock', `${message}: what lies there is no lock of an agent. Remove it and start again`);
      }
      throw terminal(
        'DataFolderInUse',
        `another agent uses ${dataDir} for ${name}: stop it first, or give this one a folder of its own with --data-dir`,
      );
    }
  }
  return taken.move();
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === SQLITE_BUSY;
}
