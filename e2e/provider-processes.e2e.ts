/** Real Terraform through the shim and the provider against the real API: how it finds its server, and its processes. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { terraform } from './harness/machinery.ts';
import { Control, fine } from './provider/control.ts';
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

const zone = (body = '') => `resource "plumb_zone" "home" {\n  name = "home"\n${body}\n}\n`;

describe.skipIf(!terraform)('the provider block', () => {
  test('two aliases at once have each its own server', async () => {
    const other = await Control.start();
    try {
      const block = (alias: string, { kubeconfig }: Control) =>
        `provider "plumb" {\n  alias = "${alias}"\n  kubeconfig = "${kubeconfig}"\n}\n`;
      const resource = (alias: string) =>
        `resource "plumb_zone" "${alias}" {\n  provider = plumb.${alias}\n  name = "${alias}"\n}\n`;
      workspace.declare(`${block('east', control)}${block('west', other)}${resource('east')}${resource('west')}`);
      expect((await workspace.apply()).said).toContain('2 added');
      expect((await control.api.list('Zone')).map(({ metadata }) => metadata.name)).toEqual(['east']);
      expect((await other.api.list('Zone')).map(({ metadata }) => metadata.name)).toEqual(['west']);
    } finally {
      await other.close();
    }
  });

  test('takes endpoint, token and authority, from the block or the environment', async () => {
    const { url, token, authority } = control;
    workspace.declare(
      `provider "plumb" {\n  endpoint = "${url}"\n  ca_certificate = <<-EOT\n${authority.trim()}\nEOT\n}\n${zone()}`,
    );
    expect((await workspace.apply({ PLUMB_TOKEN: token })).said).toContain('1 added');
    workspace.declare(zone());
    const env = { PLUMB_ENDPOINT: url, PLUMB_TOKEN: token, PLUMB_CA_CERTIFICATE: authority };
    expect((await workspace.apply(env)).said).toContain('No changes');
  });

  test('with a wrong token or an unknown authority says so', async () => {
    workspace.declare(zone());
    const { url, authority } = control;
    const wrong = { PLUMB_ENDPOINT: url, PLUMB_TOKEN: 'wrong', PLUMB_CA_CERTIFICATE: authority };
    expect((await workspace.apply(wrong)).said).toContain('does not accept the credential');
    expect((await workspace.apply({ ...wrong, PLUMB_CA_CERTIFICATE: '' })).said).toContain('is not trusted');
  });
});

describe.skipIf(!terraform)('the processes', () => {
  test('a server that goes away in the middle is waited for', async () => {
    control.say = () => undefined;
    workspace.declare(zone());
    const applied = workspace.apply();
    await control.seen('Zone', 'home');
    const comeBack = await control.vanish();
    control.say = () => fine;
    await control.look();
    await comeBack();
    expect((await applied).said).toContain('1 added');
  });

  test('the provider outlives Terraform and serves the next run; when it was killed, another is started', async () => {
    workspace.declare(zone());
    await workspace.apply();
    const first = workspace.providers();
    expect(first).toHaveLength(1);
    await workspace.plan();
    expect(workspace.providers()).toEqual(first);
    process.kill(first[0]!, 'SIGKILL');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    expect(workspace.providers()).not.toEqual(first);
    expect(workspace.providers()).toHaveLength(1);
  });

  test('many runs that start at the same time share one process', async () => {
    workspace.declare(zone());
    await workspace.run(['validate']);
    process.kill(workspace.providers()[0]!, 'SIGKILL');
    const runs = await Promise.all(Array.from({ length: 4 }, () => workspace.run(['validate'])));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(workspace.providers()).toHaveLength(1);
  });

  test('a folder of sockets that others can enter is refused', async () => {
    workspace.declare(zone());
    await workspace.run(['validate']);
    workspace.openSockets();
    const { code, said } = await workspace.run(['validate']);
    expect(code).toBe(1);
    expect(said).toContain('must be a folder of yours that nobody else can enter');
  });

  test('logs reach Terraform and hold no secret', async () => {
    workspace.declare(zone());
    const { said } = await workspace.apply({ TF_LOG_PROVIDER: 'TRACE' });
    expect(said).toContain('POST /apis/plumb.dev/v1/zones');
    expect(said).not.toContain(control.token);
  });

  test('reattached, it needs no shim', async () => {
    workspace.declare(zone());
    const attached = await workspace.reattach({ KUBECONFIG: control.kubeconfig });
    try {
      expect((await workspace.apply(attached.env)).said).toContain('1 added');
      expect(workspace.providers()).toEqual([]);
    } finally {
      await attached.close();
    }
  });
});
