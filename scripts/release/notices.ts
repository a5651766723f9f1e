/** The licences of all that a released binary carries, as they ask to travel with it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build-inputs.ts';
import { run } from '../run.ts';

/** `bundled`: folders of packages in node_modules; `node`: the text of Node's own. */
export async function notices(bundled: readonly string[], node: string): Promise<string> {
  const parts = [`Node.js\n\n${node}`];
  for (const path of bundled) parts.push(`${path.replace(/^.*node_modules\//, '')}\n\n${licenceIn(join(root, path))}`);
  for (const [name, folder] of await goModules()) parts.push(`${name}\n\n${licenceIn(folder)}`);
  return `${parts.map((part) => part.trim()).join(`\n\n${'='.repeat(80)}\n\n`)}\n`;
}

/** Names and folders of the modules that the shim is built of, and of Go's own library. */
async function goModules(): Promise<[string, string][]> {
  const go = async (...args: string[]) =>
    (await run('go', args, { cwd: join(root, 'go-shim'), env: { GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' } }))
      .stdout;
  await go('mod', 'download');
  const listed = await go('list', '-m', '-f', '{{if not .Main}}{{.Path}} {{.Dir}}{{end}}', 'all');
  const modules = listed.split('\n').filter((line) => line !== '');
  return [['Go', (await go('env', 'GOROOT')).trim()], ...modules.map((line) => line.split(' ') as [string, string])];
}

/** Throws an Error where there is none: nothing is shipped without its licence. */
function licenceIn(folder: string): string {
  const name = readdirSync(folder).find((one) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(one));
  if (name !== undefined) return readFileSync(join(folder, name), 'utf8');
  const { license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { license?: string };
  if (license) return `Licence: ${license}`;
  throw new Error(`${folder} brings no licence`);
}
