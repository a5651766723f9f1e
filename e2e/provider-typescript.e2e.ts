/** @plumb/bindings and examples/typescript: classes are made from the provider's own schema, and what is written with them is applied. */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { schemaJson } from '../scripts/bindings/schema-json.ts';
import { build } from '../scripts/build.ts';
import { buildBindings } from '../scripts/build-bindings.ts';
import { run } from '../scripts/run.ts';
import { served } from '../scripts/terraform-docs/schema.ts';
import { terraform } from './harness/machinery.ts';
import { Control } from './provider/control.ts';
import { Workspace } from './provider/workspace.ts';

const example = join(import.meta.dirname, '../examples/typescript');
const bin = (name: string) => join(import.meta.dirname, '../node_modules/.bin', name);

let control: Control;
let workspace: Workspace;

beforeAll(async () => {
  await Promise.all([build(), buildBindings()]);
});

beforeEach(async () => {
  control = await Control.start();
  workspace = new Workspace(terraform!.path, { KUBECONFIG: control.kubeconfig });
  clean();
});

afterEach(async () => {
  clean();
  workspace?.close();
  await control?.close();
});

function clean(): void {
  for (const made of ['.gen', 'cdktf.out']) rmSync(join(example, made), { recursive: true, force: true });
}

describe.skipIf(!terraform)('constructs', () => {
  test('are made from what Terraform itself says of the provider', async () => {
    workspace.declare('');
    const said = JSON.parse(await workspace.output(['providers', 'schema', '-json']));
    expect(schemaJson(await served())).toEqual(said);
  });

  test.each([
    ['cdktn', 'tsconfig.json'],
    ['cdktf', 'tsconfig.cdktf.json'],
  ])('of %s are checked, synthesised and applied', async (library, config) => {
    const here = { cwd: example, env: { CHECKPOINT_DISABLE: '1' } };
    await run(bin('tsc'), ['-p', config], here);
    const aliases = [`--alias:cdktn=${library}`, `--alias:@plumb/bindings/cdktn=@plumb/bindings/${library}`];
    const bundling = ['main.ts', '--bundle', '--platform=node', '--packages=external', '--outfile=.gen/main.cjs'];
    await run(bin('esbuild'), [...bundling, ...(library === 'cdktn' ? [] : aliases)], here);
    await run(process.execPath, ['.gen/main.cjs'], here);

    workspace.declare('');
    workspace.clear();
    copyFileSync(join(example, 'cdktf.out/stacks/lab/cdk.tf.json'), join(workspace.folder, 'main.tf.json'));
    expect((await workspace.apply()).said).toContain('7 added, 0 changed, 0 destroyed');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    const web = await control.api.get('Instance', 'web-1');
    expect(web?.spec).toMatchObject({ interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.12'] }] });
  });

  test('a mistake is found before anything runs', async () => {
    const wrong = join(example, '.gen', 'wrong.ts');
    await run('mkdir', ['-p', join(example, '.gen')]);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(
      wrong,
      `import { Zone } from '@plumb/bindings/cdktn';\nexport const make = (scope: never) => new Zone(scope, 'z', { nam: 'home' });\n`,
    );
    writeFileSync(
      join(example, '.gen', 'tsconfig.json'),
      JSON.stringify({ extends: '../tsconfig.json', files: ['wrong.ts'] }),
    );
    const checked = await run(bin('tsc'), ['-p', join(example, '.gen')], { accept: [1, 2] });
    expect(checked.stdout).toMatch(/'nam' does not exist in type 'ZoneConfig'/);
  });
});
