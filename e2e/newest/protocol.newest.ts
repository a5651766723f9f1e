/**
 * The newest Terraform and OpenTofu drive what the Terraform of npm test does not know: identity, lists with generated configuration.
 * `npm run e2e:terraform` builds both from their Go modules first. docs/terraform/compatibility.md says what is driven by which.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../../scripts/build.ts';
import { builtClients } from '../../scripts/terraform.ts';
import { Control } from '../provider/control.ts';
import { Workspace } from '../provider/workspace.ts';

const clients = await builtClients();

beforeAll(async () => {
  await build();
});

test('both clients are built', () => {
  expect(clients.map(({ description }) => description.split(' ')[0])).toEqual(['Terraform', 'OpenTofu']);
});

const zone = (name: string, more = '') => `resource "plumb_zone" "${name}" {\n  name = "${name}"\n${more}}\n`;

describe.each(clients)('$description', ({ path, description }) => {
  let control: Control;
  let workspace: Workspace;

  beforeEach(async () => {
    control = await Control.start();
    workspace = new Workspace(path, { KUBECONFIG: control.kubeconfig });
  });

  afterEach(async () => {
    workspace?.close();
    await control?.close();
  });

  test('applies, plans nothing more, renames, destroys', async () => {
    workspace.declare(zone('home', '  description = "Here."\n  labels = { rack = "a" }\n'));
    const made = await workspace.apply();
    expect(made.said).toContain('1 added');
    expect((await workspace.plan()).code).toBe(0);
    workspace.declare(zone('home', '  description = "There."\n').replace('name = "home"', 'name = "away"'));
    const renamed = await workspace.apply();
    expect(renamed.said).toContain('1 added, 0 changed, 1 destroyed');
    expect((await workspace.plan()).code).toBe(0);
    expect((await workspace.destroy()).said).toContain('1 destroyed');
  });

  test('imports by identity', async () => {
    await control.api.create({ kind: 'Zone', metadata: { name: 'home' } });
    workspace.declare(`import {\n  to = plumb_zone.home\n  identity = { name = "home" }\n}\n${zone('home')}`);
    const imported = await workspace.apply();
    expect(imported.said).toContain('1 imported, 0 added');
    expect((await workspace.plan()).code).toBe(0);
  });

  test('has functions, data sources of many, and ephemeral tokens', async () => {
    await control.api.create({ kind: 'Zone', metadata: { name: 'home' } });
    const account = 'resource "plumb_service_account" "ci" {\n  name = "ci"\n}\n';
    workspace.declare(account);
    expect((await workspace.apply()).code).toBe(0);
    workspace.declare(`${account}
data "plumb_zones" "all" {}
ephemeral "plumb_service_account_token" "ci" {
  name = plumb_service_account.ci.name
}
provider "plumb" {
  alias    = "ci"
  endpoint = "${control.url}"
  token    = ephemeral.plumb_service_account_token.ci.token
  ca_certificate = <<EOT
${control.authority}
EOT
}
data "plumb_zones" "as_ci" {
  provider = plumb.ci
}
output "zones" {
  value = data.plumb_zones.all.names
}
output "inside" {
  value = provider::plumb::cidr_contains("10.0.0.0/8", "10.1.0.0/16")
}
`);
    const { said, code } = await workspace.apply();
    expect(code, said).toBe(0);
    expect(said).toMatch(/inside = true/);
    expect(said).toMatch(/zones = (tolist\()?\[ "home", \]/);
  });

  test.runIf(description.startsWith('Terraform'))('invokes an action', async () => {
    await control.api.create({ kind: 'Zone', metadata: { name: 'home' } });
    await control.api.create({ kind: 'Host', metadata: { name: 'h1' }, spec: { zone: 'home' } });
    workspace.declare('action "plumb_cordon" "h1" {\n  config {\n    name = "h1"\n  }\n}\n');
    const { code, said } = await workspace.run(['apply', '-auto-approve', '-invoke=action.plumb_cordon.h1']);
    expect(code, said).toBe(0);
    expect(said).toContain('Host h1 is cordoned.');
    expect((await control.api.list('Host'))[0]!.spec).toMatchObject({ unschedulable: true });
  });

  test.runIf(description.startsWith('Terraform'))(
    'finds objects by query, and writes what plans no change',
    async () => {
      for (const name of ['home', 'away'])
        await control.api.create({ kind: 'Zone', metadata: { name }, spec: { description: name } });
      await control.api.create({
        kind: 'InstanceOffering',
        metadata: { name: 'small' },
        spec: { cpus: 1, memoryMiB: 128 },
      });
      workspace.declare('provider "plumb" {}\n');
      const lists = ['zone', 'instance_offering'].map(
        (type) => `list "plumb_${type}" "all" {\n  provider = plumb\n  include_resource = true\n}\n`,
      );
      writeFileSync(join(workspace.folder, 'all.tfquery.hcl'), lists.join(''));
      const file = join(workspace.folder, 'generated.tf');
      const queried = await workspace.run(['query', `-generate-config-out=${file}`]);
      expect(queried.code, queried.said).toBe(0);
      expect(readFileSync(file, 'utf8')).toContain('identity = {');
      const taken = await workspace.apply();
      expect(taken.said).toContain('3 imported, 0 added, 0 changed');
      const after = await workspace.plan();
      expect(after.code, after.said).toBe(0);
    },
  );
});
