/** Real Terraform through the shim and the provider against the real API: every way that a resource can go. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { terraform } from './harness/machinery.ts';
import { Control } from './provider/control.ts';
import { Workspace } from './provider/workspace.ts';

let control: Control;
let workspace: Workspace;

beforeAll(async () => {
  await build();
});

beforeEach(async () => {
  control = await Control.start();
  workspace = new Workspace(terraform!.path, { KUBECONFIG: control.kubeconfig });
});

afterEach(async () => {
  workspace?.close();
  await control?.close();
});

const zone = 'resource "plumb_zone" "home" {\n  name = "home"\n}\n';

describe.skipIf(!terraform)('terraform', () => {
  test('applies, plans nothing, and destroys', async () => {
    workspace.declare(zone);
    const applied = await workspace.apply();
    expect(applied.said).toContain('1 added, 0 changed, 0 destroyed');
    const stored = await control.api.get('Zone', 'home');
    expect(workspace.state()['plumb_zone.home']?.attributes).toEqual({
      name: 'home',
      description: null,
      labels: null,
      annotations: null,
      timeouts: null,
      status: { uid: stored?.metadata.uid },
    });
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    expect((await workspace.destroy()).said).toContain('1 destroyed');
    expect(await control.api.get('Zone', 'home')).toBeUndefined();
  });
});
