/** examples/typescript: classes are made from the provider's own schema, and what is written with them is applied. */
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { run } from '../scripts/run.ts';
import { terraform } from './harness/machinery.ts';
import { Control } from './provider/control.ts';
import { Workspace } from './provider/workspace.ts';

const example = join(import.meta.dirname, '../examples/typescript');
const bin = (name: string) => join(import.meta.dirname, '../node_modules/.bin', name);

let control: Control;
let workspace: Workspace;

beforeAll(async () => {
  await build();
});

beforeEach(async () => {
  control = await Control.start();
  workspace = new Workspace(terraform!.path, { KUBECONFIG: control.kubeconfig });
  for (const made of ['.gen', 'cdktf.out']) rmSync(join(example, made), { recursive: true, force: true });
});

afterEach(async () => {
  workspace?.close();
  await control?.close();
});

describe.skipIf(!terraform)('examples/typescript', () => {
  test('is generated, checked, synthesised and applied', async () => {
    workspace.declare('');
    const schema = await workspace.output(['providers', 'schema', '-json']);
    const here = { cwd: example, env: { CHECKPOINT_DISABLE: '1' } };
    await run(process.execPath, ['generate.ts'], { ...here, input: schema });
    expect(readdirSync(join(example, '.gen/providers/plumb'))).toContain('l3-network');

    await run(bin('tsc'), ['-p', '.'], here);
    const bundling = ['main.ts', '--bundle', '--platform=node', '--packages=external', '--outfile=.gen/main.cjs'];
    await run(bin('esbuild'), bundling, here);
    await run(process.execPath, ['.gen/main.cjs'], here);

    workspace.clear();
    copyFileSync(join(example, 'cdktf.out/stacks/lab/cdk.tf.json'), join(workspace.folder, 'main.tf.json'));
    expect((await workspace.apply()).said).toContain('7 added, 0 changed, 0 destroyed');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    const web = await control.api.get('Instance', 'web-1');
    expect(web?.spec).toMatchObject({ interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.12'] }] });
  });
});
