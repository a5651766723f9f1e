import { readFileSync } from 'node:fs';

/** Gives up root for good: what a process reads of strangers comes after that. `who`: in the error that it throws when that fails. */
export function giveUpRoot([uid, gid]: readonly number[], who: string): void {
  if (process.getuid?.() === 0) {
    if (!uid || !gid) throw new Error(`${who} does not run as root`);
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  }
  const capabilities = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '';
  const left = capabilities.match(/^Cap(?:Prm|Eff|Inh):\s*0*[1-9a-f]/m);
  if (process.getuid?.() === 0 || process.geteuid?.() === 0 || left !== null)
    throw new Error(`${who} could not give up the rights of root`);
}
