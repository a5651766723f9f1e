/**
 * The data folder of a control plane: everything in it that decides whom the server trusts and who may ask is checked before
 * anything of it is read. A folder that somebody else prepared would bring an authority and tokens of theirs.
 */
import { join } from 'node:path';
import { checkContents, openPrivateFolder } from '@plumb/schemas/files/private-folder.ts';

import { KEY_FILE } from './encryption.ts';

/** Folders of it that the server alone uses. */
const OWN = ['pki', 'store'];
/** Files in it that the server writes itself. */
const FILES = new Set(['kubeconfig', 'join-token', KEY_FILE]);

/**
 * Makes it where it is missing, checks it, and closes to other users what they could read. Returns its real path. Throws
 * PlumbError `NotPrivate` (terminal).
 */
export function openDataFolder(path: string, log: (line: string) => void): string {
  const folder = openPrivateFolder(path, { log });
  checkContents(folder, log, (name) => FILES.has(name));
  for (const name of OWN) {
    const own = openPrivateFolder(join(folder, name), { log });
    checkContents(own, log);
  }
  return folder;
}
