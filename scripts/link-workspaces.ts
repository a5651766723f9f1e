/** Links our own packages into node_modules: a pull may bring one while everything else stays as it was installed. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const scope = join(root, 'node_modules', '@plumb');
const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };

/** Does nothing where npm has installed nothing yet. */
export function linkWorkspaces(): void {
  if (!existsSync(scope)) return;
  for (const name of workspaces) {
    const link = join(scope, name);
    if (!existsSync(link)) symlinkSync(join('..', '..', name), link);
  }
}

if (import.meta.main) linkWorkspaces();
