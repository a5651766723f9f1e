/** The same HCL on a simulated host, and everything that may be declared wrong: said once, in the same words everywhere. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Quickstart } from '../scripts/quickstart.ts';
import { condition, isReady, isStalled, pathOf } from './harness/api.ts';
import type { Estate } from './harness/estate.ts';
import { terraform } from './harness/machinery.ts';
import { estateSession } from './harness/session.ts';
import { errorsOf } from './harness/terraform-errors.ts';

const SMALL_HOST = ['--cpus', '4', '--memory-mib', '2048'];
const WRONG_SUM = 'f'.repeat(64);

const eth0 = (address: string) => [{ name: 'eth0', l3Network: 'lab', addresses: [address] }];

/** Declared in a way that no waiting cures: the object, the same in HCL, and what is said of it. */
const impossible = [
  {
    title: 'an address that another instance holds',
    kind: 'Instance',
    spec: { zone: 'home', offering: 'small', image: 'tiny', interfaces: eth0('10.20.0.11') },
    hcl: `resource "plumb_instance" "bad" {
  name       = "bad"
  zone       = "home"
  offering   = "small"
  image      = "tiny"
  interfaces = [{ name = "eth0", l3_network = "lab", addresses = ["10.20.0.11"] }]
}`,
    reason: 'DuplicateAddress',
    says: [/10\.20\.0\.11/, /web-0/],
  },
  {
    title: 'an offering that no host can hold',
    kind: 'Instance',
    spec: { zone: 'home', offering: 'huge', image: 'tiny', interfaces: eth0('10.20.0.30') },
    hcl: `resource "plumb_instance" "bad" {
  name       = "bad"
  zone       = "home"
  offering   = "huge"
  image      = "tiny"
  interfaces = [{ name = "eth0", l3_network = "lab", addresses = ["10.20.0.30"] }]
}`,
    reason: 'NoHostFits',
    says: [/999999 MiB/, /smaller offering/],
  },
  {
    title: 'an image with another checksum than its file has',
    kind: 'Image',
    spec: { url: 'IMAGE', sha256: WRONG_SUM, format: 'raw' },
    hcl: `resource "plumb_image" "bad" {
  name   = "bad"
  url    = var.image_url
  sha256 = "${WRONG_SUM}"
  format = "raw"
}`,
    reason: 'ChecksumMismatch',
    says: [new RegExp(WRONG_SUM)],
  },
];

describe.skipIf(!terraform)('the quickstart on a simulated host', () => {
  const session = estateSession({ name: 'simulated', driver: 'simulated', agentOptions: SMALL_HOST });
  let estate: Estate;
  let quickstart: Quickstart;
  beforeAll(async () => {
    estate = session.estate();
    quickstart = await estate.quickstart();
  });

  test('apply, and a second plan that is empty', async () => {
    const { stdout } = await quickstart.apply();
    expect(stdout).toContain('Apply complete! Resources: 8 added, 0 changed, 0 destroyed.');
    expect(stdout).toContain('10.20.0.12');
    expect(await quickstart.changes()).toBeUndefined();
    const held = (await estate.api.list('Instance')).map(({ status }) => status?.interfaces);
    expect(held).toMatchObject([[{ addresses: ['10.20.0.11'] }], [{ addresses: ['10.20.0.12'] }]]);
  });

  test('an edit converges, and so does taking it back', async () => {
    await quickstart.apply(undefined, ['-var', 'instances=3']);
    expect(isReady(await estate.api.get('Instance', 'web-2'))).toBe(true);
    await quickstart.apply();
    expect(await estate.api.get('Instance', 'web-2')).toBeUndefined();
    expect(await quickstart.changes()).toBeUndefined();
  });

  describe('what cannot be', () => {
    beforeAll(async () => {
      await estate.api.create({
        kind: 'InstanceOffering',
        metadata: { name: 'huge' },
        spec: { cpus: 1, memoryMiB: 999_999 },
      });
      await estate.api.until('InstanceOffering', 'huge', 'Ready', isReady);
    });

    test.each(impossible)('$title', async ({ kind, spec, hcl, reason, says }) => {
      const declared = { ...spec, ...(kind === 'Image' ? { url: `file://${estate.image.path}` } : {}) };
      expect(await estate.api.create({ kind, metadata: { name: 'bad' }, spec: declared })).toMatchObject({ code: 201 });
      const object = await estate.api.until(kind, 'bad', 'Stalled', isStalled);
      const ready = condition(object, 'Ready');
      expect(ready).toMatchObject({ status: 'False', reason });
      for (const part of says) expect(ready?.message).toMatch(part);
      await estate.api.delete(kind, 'bad');
      await estate.api.until(kind, 'bad', 'gone', (now) => now === undefined);

      const file = join(quickstart.folder, 'bad.tf');
      await writeFile(file, hcl);
      try {
        const errors = await errorsOf(quickstart, ['apply', '-auto-approve']);
        expect(errors).toHaveLength(1);
        expect(errors[0]?.text).toContain(ready?.message);
      } finally {
        await rm(file);
      }
      expect(await estate.api.get(kind, 'bad')).toBeUndefined();
      expect((await estate.api.get('Host', 'host-1'))?.status?.orphans ?? []).toEqual([]);
      expect(await quickstart.changes()).toBeUndefined();
    });

    afterAll(() => estate.api.delete('InstanceOffering', 'huge'));
  });

  describe('what is not well formed', () => {
    test('names every field that is wrong at once, with the rule and the value', async () => {
      const { code, body } = await estate.api.create({
        kind: 'Instance',
        metadata: { name: 'Web_0' },
        spec: { zone: 7, offering: 'small', image: 'tiny', interfaces: [], power: 'Flying' },
      });
      expect(code).toBe(422);
      const { causes } = body.details as { causes: { field: string; message: string }[] };
      // Kubernetes says of no field that rules were left out which need the others to be right.
      const fields = new Set(causes.map(({ field }) => field).filter((field) => field !== '<nil>'));
      expect([...fields].sort()).toEqual(['metadata.name', 'spec.interfaces', 'spec.power', 'spec.zone']);
      expect(causes.find(({ field }) => field === 'spec.power')?.message).toMatch(/Flying.*Running|Running.*Flying/);
    });

    test('a field that nobody knows is an error with the nearest name that is known', async () => {
      const { code, body } = await estate.api.call('POST', pathOf('InstanceOffering'), {
        apiVersion: 'plumb.dev/v1',
        kind: 'InstanceOffering',
        metadata: { name: 'odd' },
        spec: { cpus: 1, memoryMib: 128 },
      });
      expect(code).toBeGreaterThanOrEqual(400);
      expect(code).toBeLessThan(500);
      expect(body.message).toContain('memoryMiB');
      expect(await estate.api.get('InstanceOffering', 'odd')).toBeUndefined();
    });

    test('a value in HCL that breaks a rule is refused by the plan, on its attribute', async () => {
      const file = join(quickstart.folder, 'bad.tf');
      await writeFile(
        file,
        'resource "plumb_instance_offering" "bad" {\n  name = "bad"\n  cpus = 0\n  memory_mib = 1\n}\n',
      );
      try {
        const errors = await errorsOf(quickstart, ['plan']);
        expect(errors.map(({ line }) => line).sort()).toEqual([3, 4]);
        expect(errors.map(({ text }) => text).join()).toMatch(/cpus[\s\S]*memory_mib|memory_mib[\s\S]*cpus/);
      } finally {
        await rm(file);
      }
    });
  });

  test('destroy leaves nothing', async () => {
    const { stdout } = await quickstart.destroy();
    expect(stdout).toContain('Destroy complete! Resources: 8 destroyed.');
    for (const kind of ['Zone', 'Host', 'L2Network', 'L3Network', 'Image', 'InstanceOffering', 'Instance'])
      expect(await estate.api.list(kind)).toEqual([]);
  });
});
