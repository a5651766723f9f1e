/** Real Terraform keeps the built-in kinds as it keeps Plumb's own: by the one generic resource. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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

const team = (verb: string) => `
resource "plumb_project" "team" {
  name   = "team-a"
  labels = { owner = "a" }
}
resource "plumb_secret" "web" {
  name    = "web"
  project = plumb_project.team.name
  data    = { password = base64encode("s3cret-${verb}") }
}
resource "plumb_config_map" "web" {
  name    = "web"
  project = plumb_project.team.name
  data    = { "motd" = "verb ${verb}" }
}
resource "plumb_service_account" "robot" {
  name    = "robot"
  project = plumb_project.team.name
}
resource "plumb_role" "robot" {
  name    = "robot"
  project = plumb_project.team.name
  rules   = [{ verbs = ["${verb}"], api_groups = ["plumb.dev"], resources = ["instances"] }]
}
resource "plumb_role_binding" "robot" {
  name     = "robot"
  project  = plumb_project.team.name
  role_ref = { kind = "Role", name = plumb_role.robot.name }
  subjects = [{ kind = "ServiceAccount", name = plumb_service_account.robot.name, namespace = plumb_project.team.name }]
}
resource "plumb_cluster_role" "metrics" {
  name  = "metrics:${verb}"
  rules = [{ verbs = ["get"], non_resource_urls = ["/metrics"] }]
}
resource "plumb_cluster_role_binding" "metrics" {
  name     = "metrics"
  role_ref = { kind = "ClusterRole", name = plumb_cluster_role.metrics.name }
  subjects = [{ kind = "Group", name = "watchers" }, { kind = "User", name = "eve" }]
}
resource "plumb_git_source" "estate" {
  name            = "estate"
  project         = plumb_project.team.name
  url             = "https://git.example/estate.git"
  service_account_name = plumb_service_account.robot.name
}
`;

test('they are made, changed, imported and taken away, and no plan is without cause', async () => {
  workspace.declare(team('get'));
  const made = await workspace.apply();
  expect(made.said).toContain('9 added');
  expect(made.said).not.toContain('s3cret');
  const again = await workspace.plan();
  expect(again.code, again.said).toBe(0);
  workspace.declare(team('list'));
  // A role that is bound has another name, so what binds it is replaced.
  expect((await workspace.apply()).said).toContain('2 added, 3 changed, 2 destroyed');
  expect((await workspace.plan()).code).toBe(0);
  expect((await workspace.run(['state', 'rm', 'plumb_role_binding.robot', 'plumb_project.team'])).code).toBe(0);
  for (const [address, id] of [
    ['plumb_role_binding.robot', 'team-a/robot'],
    ['plumb_project.team', 'team-a'],
  ] as const) {
    const imported = await workspace.run(['import', '-input=false', address, id]);
    expect(imported.code, imported.said).toBe(0);
  }
  const after = await workspace.plan();
  expect(after.code, after.said).toBe(0);
  expect((await workspace.run(['destroy', '-auto-approve'])).said).toContain('9 destroyed');
});

test('a project that does not exist is told of as a resource that one can declare', async () => {
  workspace.declare('resource "plumb_config_map" "x" {\n  name = "x"\n  project = "team-b"\n}');
  const { code, said } = await workspace.apply();
  expect(code).toBe(1);
  expect(said).toContain('There is no project team-b');
  expect(said).toContain('resource "plumb_project" "team_b" { name = "team-b" }');
  expect(said).toContain('project = plumb_project.team_b.name');
  workspace.declare(
    'resource "plumb_project" "team_b" {\n  name = "team-b"\n}\nresource "plumb_config_map" "x" {\n  name = "x"\n  project = plumb_project.team_b.name\n}',
  );
  expect((await workspace.apply()).code).toBe(0);
});
