/** examples/ for the provider's pages: every resource is applied, read back, imported and destroyed, in one run of real Terraform each. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { terraform } from './harness/machinery.ts';
import { Control } from './provider/control.ts';
import { Workspace } from './provider/workspace.ts';

const examples = join(import.meta.dirname, '../examples');

/** Files of a group of examples, by the name of what they are of. */
function files(group: string, file: string): Map<string, string> {
  if (!existsSync(join(examples, group))) return new Map();
  const names = readdirSync(join(examples, group)).sort();
  return new Map(names.map((name) => [name, join(examples, group, name, file)]));
}

const resources = files('resources', 'resource.tf');
const imports = [...files('resources', 'import.sh').values()].map((file) => {
  const [, to = '', id = ''] = /^terraform import (\S+) (\S+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
  return { file, to, id };
});

describe.skipIf(!terraform)('examples of the provider', () => {
  let control: Control;
  let workspace: Workspace;
  /** How many objects the examples make. */
  let count = 0;

  beforeAll(async () => {
    await build();
    control = await Control.start();
    workspace = new Workspace(terraform!.path, { KUBECONFIG: control.kubeconfig });
    // The examples refer to each other as one configuration does.
    cpSync(join(examples, 'provider/provider.tf'), join(workspace.folder, 'provider.tf'));
    for (const [type, file] of resources) cpSync(file, join(workspace.folder, `${type}.tf`));
    const all = [...resources.values()].map((file) => readFileSync(file, 'utf8')).join('\n');
    count = [...all.matchAll(/^resource "/gm)].length;
  });

  afterAll(async () => {
    workspace?.close();
    await control?.close();
  });

  test('are applied all together, and then nothing is to be done', async () => {
    const { said } = await workspace.apply();
    expect(said).toContain(`${count} added, 0 changed, 0 destroyed`);
    expect(await workspace.plan()).toMatchObject({ code: 0 });
  });

  test('data sources, ephemeral resources and functions read what was made', async () => {
    const added: string[] = [];
    const groups = [
      ['data-sources', 'data-source.tf'],
      ['ephemeral-resources', 'ephemeral-resource.tf'],
      ['functions', 'function.tf'],
    ] as const;
    for (const [group, file] of groups)
      for (const [name, from] of files(group, file)) {
        const to = join(workspace.folder, `${group}-${name}.tf`);
        cpSync(from, to);
        added.push(to);
      }
    const { code, said } = await workspace.apply();
    expect(said).toMatch(/No changes|0 added, 0 changed, 0 destroyed/);
    expect(code).toBe(0);
    const state = workspace.state();
    for (const [type] of files('data-sources', 'data-source.tf'))
      expect(Object.keys(state).filter((address) => address.startsWith(`data.${type}.`))).not.toEqual([]);
    for (const file of added) rmSync(file);
  });

  test('import.sh names an object of the example, and what is imported is not changed', async () => {
    for (const { file, to, id } of imports) expect(`${file}: ${to} ${id}`).toMatch(/: plumb_\w+\.\w+ \S+$/);
    rmSync(join(workspace.folder, 'terraform.tfstate'));
    const blocks = imports.map(({ to, id }) => `import {\n  to = ${to}\n  id = ${JSON.stringify(id)}\n}\n`);
    // What an example makes beside the object that it is of.
    const others = [...(await unimported())].map(
      ({ to, id }) => `import {\n  to = ${to}\n  id = ${JSON.stringify(id)}\n}\n`,
    );
    writeFileSync(join(workspace.folder, 'imports.tf'), [...blocks, ...others].join('\n'));
    const { said } = await workspace.apply();
    expect(said).toMatch(new RegExp(`${count} imported, 0 added, \\d+ changed, 0 destroyed`));
    rmSync(join(workspace.folder, 'imports.tf'));
    expect(await workspace.plan()).toMatchObject({ code: 0 });
  });

  test('are destroyed, in the order in which they need each other', async () => {
    expect((await workspace.destroy()).said).toContain(`${count} destroyed`);
  });

  async function unimported(): Promise<{ to: string; id: string }[]> {
    const known = new Set(imports.map(({ to }) => to));
    const found: { to: string; id: string }[] = [];
    for (const file of resources.values())
      for (const [, type, name, id] of readFileSync(file, 'utf8').matchAll(
        /^resource "(\w+)" "(\w+)" \{\n\s+name\s+= "([^"]+)"/gm,
      ))
        if (!known.has(`${type}.${name}`)) found.push({ to: `${type}.${name}`, id: id! });
    return found;
  }
});
