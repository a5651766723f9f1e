/** Real Terraform through the shim and the provider against the real API: every way that a resource can go. */
import type { PlumbObject } from '@plumb/schemas';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { terraform } from './harness/machinery.ts';
import { Control, fine, type Word } from './provider/control.ts';
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

/** One of every kind, each referring to the ones before. */
const estate = `
${zone()}
resource "plumb_host" "one" {
  name                    = "host-1"
  zone                    = plumb_zone.home.name
  labels                  = { rack = "a" }
  cpu_overcommit_ratio    = 1.1
}
resource "plumb_l2_network" "lab" {
  name          = "lab"
  zone          = plumb_zone.home.name
  type          = "vxlan"
  vni           = 100
  host_selector = { match_labels = { rack = "a" } }
}
resource "plumb_l3_network" "lab" {
  name       = "lab"
  l2_network = plumb_l2_network.lab.name
  ipv4       = { cidr = "10.20.0.0/24", gateway = "10.20.0.1", ranges = [{ start = "10.20.0.10", end = "10.20.0.200" }] }
  dns        = { domain = "lab.internal" }
}
resource "plumb_image" "tiny" {
  name   = "tiny"
  url    = "file:///tiny.qcow2"
  sha256 = "${'a'.repeat(64)}"
  format = "qcow2"
}
resource "plumb_instance_offering" "small" {
  name       = "small"
  cpus       = 1
  memory_mib = 128
}
resource "plumb_instance" "web" {
  count      = 2
  name       = "web-\${count.index}"
  zone       = plumb_zone.home.name
  offering   = plumb_instance_offering.small.name
  image      = plumb_image.tiny.name
  interfaces = [{ name = "eth0", l3_network = plumb_l3_network.lab.name, addresses = ["10.20.0.1\${count.index + 1}"] }]
  user_data  = "#cloud-config"
  timeouts   = { create = "1m" }
}
data "plumb_zone" "home" {
  name       = "home"
  depends_on = [plumb_zone.home]
}
output "host" {
  value = plumb_instance.web[0].status.host
}
`;

/** Instances are placed; everything else is fine as it is. */
const placed = (object: PlumbObject): Word => {
  if (object.kind !== 'Instance') return fine;
  const { interfaces } = object.spec as { interfaces: { name: string; l3Network: string; addresses: string[] }[] };
  const held = interfaces.map(({ name, l3Network, addresses }) => ({
    ...{ name, addresses, l3Network: `default/${l3Network}`, l3NetworkUid: 'u', macAddress: '02:00:00:00:00:01' },
  }));
  return { ...fine, leaves: { host: 'host-1', interfaces: held } };
};

const stalled = (reason: string, message: string): Word => ({ ready: false, stalled: true, reason, message });

describe.skipIf(!terraform)('a life', () => {
  test('of every kind: apply, no changes, update, replace, destroy', async () => {
    control.say = placed;
    workspace.declare(estate);
    expect((await workspace.apply()).said).toContain('8 added, 0 changed, 0 destroyed. Outputs: host = "host-1"');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    const web = await control.api.get('Instance', 'web-1');
    expect(web).toMatchObject({
      metadata: { namespace: 'default' },
      spec: { power: 'Running', userData: '#cloud-config' },
    });
    expect((await control.api.get('Host', 'host-1'))?.spec).toMatchObject({ cpuOvercommitRatio: 1.1 });
    expect(workspace.state()['plumb_instance.web']?.attributes.status).toMatchObject({ uid: web?.metadata.uid });

    workspace.declare(estate.replace('memory_mib = 128', 'memory_mib = 256').replace('"lab.internal"', '"lab.test"'));
    expect((await workspace.apply()).said).toContain('0 added, 2 changed, 0 destroyed');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    expect((await control.api.get('InstanceOffering', 'small'))?.spec).toEqual({ cpus: 1, memoryMiB: 256 });

    workspace.declare(estate.replace('vni           = 100', 'vni           = 200'));
    const plan = await workspace.plan();
    expect(plan.said).toContain('~ vni = 100 -> 200 # forces replacement');
    expect((await workspace.apply()).said).toMatch(/1 added, 2 changed, 1 destroyed/);

    expect((await workspace.destroy()).said).toContain('8 destroyed');
    for (const kind of ['Zone', 'Instance', 'L3Network']) expect(await control.api.list(kind)).toEqual([]);
  });

  test('with drift: what others change is shown and set back, what others own is left alone', async () => {
    workspace.declare(zone('description = "ours"\nlabels = { rack = "a" }'));
    await workspace.apply();
    await control.api.patch('Zone', 'home', {
      metadata: { labels: { rack: 'b', theirs: 'x' } },
      spec: { description: 'theirs' },
    });
    const plan = await workspace.plan();
    expect(plan.code).toBe(2);
    expect(plan.said).toContain('~ description = "theirs" -> "ours"');
    expect(plan.said).toContain('~ "rack" = "b" -> "a"');
    expect(plan.said).not.toContain('"x"');
    expect((await workspace.apply()).said).toContain('1 changed');
    expect(await control.api.get('Zone', 'home')).toMatchObject({
      metadata: { labels: { rack: 'a', theirs: 'x' } },
      spec: { description: 'ours' },
    });
  });

  test('with an import, by command and by block', async () => {
    const metadata = { name: 'home', labels: { rack: 'a' } };
    await control.api.create({ kind: 'Zone', metadata, spec: { description: 'of before' } });
    workspace.declare(zone('description = "of before"\nlabels = { rack = "a" }'));
    const refused = await workspace.apply();
    expect(refused.said).toContain('terraform import plumb_zone.NAME home');
    expect((await workspace.run(['import', 'plumb_zone.home', 'home'])).code).toBe(0);
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    await workspace.run(['state', 'rm', 'plumb_zone.home']);
    workspace.declare(`import {\n  to = plumb_zone.home\n  id = "home"\n}\n${zone('description = "after"')}`);
    expect((await workspace.apply()).said).toContain('1 imported, 0 added, 1 changed, 0 destroyed');
  });

  test('that others end: what is gone is made again', async () => {
    workspace.declare(zone());
    await workspace.apply();
    await control.api.delete('Zone', 'home');
    expect((await workspace.apply()).said).toContain('1 added');
  });
});

describe.skipIf(!terraform)('what fails', () => {
  test('a create that cannot succeed ends at once, says why, and leaves nothing', async () => {
    control.say = () => stalled('ChecksumMismatch', 'The file has another SHA-256 than was declared.');
    workspace.declare(zone());
    const { code, said } = await workspace.apply();
    expect(code).toBe(1);
    expect(said).toContain('Zone home is not Ready: ChecksumMismatch');
    expect(said).toContain('The file has another SHA-256 than was declared.');
    expect(workspace.state()).toEqual({});
    expect(await control.api.get('Zone', 'home')).toBeUndefined();
  });

  test('a create that cannot be taken back is kept as tainted, and replaced by the next apply', async () => {
    control.say = () => stalled('Broken', 'It is broken.');
    control.blocks = () => 'Something holds it.';
    workspace.declare(zone('timeouts = { create = "10s", delete = "1s" }'));
    const { said } = await workspace.apply();
    expect(said).toContain('Zone home could not be deleted again: Timeout');
    expect(said).toContain('InUse: Something holds it');
    expect(workspace.state()['plumb_zone.home']).toMatchObject({ tainted: true });
    control.say = () => fine;
    control.blocks = () => undefined;
    await control.look();
    expect((await workspace.apply()).said).toContain('1 added, 0 changed');
  });

  test('a timeout says what it waited for', async () => {
    control.say = () => ({ ready: false, reason: 'HostOffline', message: 'host-1 has not been heard of.' });
    workspace.declare(zone('timeouts = { create = "1s" }'));
    const { said } = await workspace.apply();
    expect(said).toContain('Zone home is not Ready: HostOffline: host-1 has not been heard of');
    expect(said).toContain('longer than the 1s');
  });

  test('a delete that is blocked says by what, and keeps the resource', async () => {
    workspace.declare(zone('timeouts = { delete = "1s" }'));
    await workspace.apply();
    control.blocks = () => 'Host host-1 stands in it.';
    const { code, said } = await workspace.destroy();
    expect(code).toBe(1);
    expect(said).toContain('is still there: InUse: Host host-1 stands in it');
    expect(workspace.state()).toHaveProperty(['plumb_zone.home']);
  });

  test('an update that fails keeps what the server has', async () => {
    workspace.declare(zone('description = "a"'));
    await workspace.apply();
    control.say = () => stalled('Rude', 'Not that word.');
    workspace.declare(zone('description = "b"'));
    const { said } = await workspace.apply();
    expect(said).toContain('Zone home is not as planned: Rude');
    expect(workspace.state()['plumb_zone.home']).toMatchObject({ tainted: false, attributes: { description: 'b' } });
    // Applied again without an edit, it is no green lie: with a refresh and without, until it is ready.
    const planned = await workspace.plan();
    expect(planned).toMatchObject({ code: 2, said: expect.stringContaining('Zone home is not as declared: Rude') });
    expect((await workspace.run(['plan', '-detailed-exitcode', '-refresh=false'])).code).toBe(2);
    expect(await workspace.apply()).toMatchObject({ code: 1, said: expect.stringContaining('Rude') });
    control.say = () => fine;
    await control.look();
    expect(await workspace.plan()).toMatchObject({ code: 0 });
  });

  test('a destroy that was interrupted is no "No changes": what is being deleted is made anew', async () => {
    workspace.declare(zone());
    await workspace.apply();
    const { uid } = (await control.api.list('Zone'))[0]!.metadata;
    control.blocks = () => 'Host host-1 stands in it.';
    const interrupt = new AbortController();
    const destroyed = workspace.run(['destroy', '-auto-approve', '-input=false'], {}, interrupt.signal);
    await control.dying('Zone', 'home');
    interrupt.abort();
    expect((await destroyed).code).toBe(1);
    for (const args of [[], ['-refresh=false']]) {
      const { code, said } = await workspace.run(['plan', '-detailed-exitcode', ...args]);
      expect({ code, said }).toMatchObject({ code: 2, said: expect.stringContaining('Zone home is being deleted') });
      expect(said).toContain('must be replaced');
    }
    control.blocks = () => undefined;
    await control.look();
    const applied = await workspace.run(['apply', '-auto-approve', '-input=false', '-refresh=false']);
    expect(applied.said).toContain('1 added, 0 changed, 1 destroyed');
    expect((await control.api.list('Zone')).map(({ metadata }) => metadata.uid)).not.toContain(uid);
    expect(await workspace.plan()).toMatchObject({ code: 0 });
  });

  test('errors of the server are on the attribute', async () => {
    workspace.declare(
      'resource "plumb_l3_network" "lab" {\n  name = "lab"\n  project = "nowhere"\n  l2_network = "x"\n  ipv4 = { cidr = "10.0.0.0/24" }\n}\n',
    );
    const { said } = await workspace.apply();
    expect(said).toMatch(/in resource "plumb_l3_network" "lab": \d+: project = "nowhere"/);
    expect(said).toContain('There is no project nowhere');
  });

  test('two folders that apply the same names at once: each name is there once, and in one state', async () => {
    const other = new Workspace(terraform!.path, { KUBECONFIG: control.kubeconfig });
    try {
      const zones = `resource "plumb_zone" "z" {\n  count = 8\n  name = "z-\${count.index}"\n}\n`;
      for (const folder of [workspace, other]) {
        folder.declare(zones);
        await folder.run(['validate']);
      }
      const ran = await Promise.all([workspace.apply(), other.apply()]);
      const refused = ran.flatMap(({ said }) => said.match(/Zone z-\d already exists/g) ?? []);
      expect(refused.length).toBe(8);
      const known = [workspace, other].flatMap((folder) => Object.values(folder.uids('plumb_zone')));
      const there = await control.api.list('Zone');
      expect(known.sort()).toEqual(there.map(({ metadata }) => metadata.uid).sort());
      expect(there).toHaveLength(8);
    } finally {
      other.close();
    }
  });

  test('create_before_destroy with a name that stays says that the new one needs another', async () => {
    workspace.declare(zone('lifecycle {\n  create_before_destroy = true\n}'));
    await workspace.apply();
    const { code, said } = await workspace.run(['apply', '-auto-approve', '-replace=plumb_zone.home']);
    expect(code).toBe(1);
    expect(said).toContain('this one with create_before_destroy, give the new one another name');
    expect(said).not.toContain('was not made by this configuration');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
  });

  test('Ctrl-C ends the wait, and what was made is in the state', async () => {
    control.say = () => ({ ready: false, reason: 'Booting', message: 'It boots.' });
    workspace.declare(zone());
    const interrupt = new AbortController();
    const applied = workspace.apply({}, interrupt.signal);
    await control.seen('Zone', 'home');
    interrupt.abort();
    const { code, said } = await applied;
    expect(code).toBe(1);
    expect(said).toContain('Terraform was told to stop');
    expect(workspace.state()['plumb_zone.home']).toMatchObject({ tainted: false, attributes: { name: 'home' } });
    // Nothing is made anew for it.
    expect((await workspace.plan()).said).toContain('0 to add, 1 to change, 0 to destroy');
    control.say = () => fine;
    await control.look();
    expect(await workspace.plan()).toMatchObject({ code: 0 });
  });
});

describe.skipIf(!terraform)('terraform validate', () => {
  test('says everything that is wrong, each on its attribute', async () => {
    workspace.declare(`
resource "plumb_image" "tiny" {
  name   = "Tiny_"
  url    = "ftp://x"
  sha256 = "short"
  format = "qcow"
}
resource "plumb_l2_network" "lab" {
  name = "lab"
  zone = "home"
  type = "vxlan"
}
`);
    const { code, said } = await workspace.run(['validate']);
    expect(code).toBe(1);
    for (const where of ['Invalid name', 'Invalid url', 'Invalid sha256', 'Invalid format', 'Invalid vni']) {
      expect(said).toContain(`Error: ${where}`);
    }
    expect(said.replace(/ \d+:/g, '')).toContain(
      'in resource "plumb_image" "tiny": format = "qcow" format must be one of qcow2, raw, but is "qcow": did you mean "qcow2"?',
    );
    expect(said).toContain('vni is required when type is vxlan');
  });

  test('knows an attribute that is not there, and one that must be', async () => {
    workspace.declare(
      'resource "plumb_instance_offering" "small" {\n  name = "small"\n  memory = 5\n  memory_mib = 64\n}\n',
    );
    const { said } = await workspace.run(['validate']);
    expect(said).toContain('An argument named "memory" is not expected here');
    expect(said).toContain('The argument "cpus" is required');
  });
});
