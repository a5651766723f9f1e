/**
 * Proves what driver.ts and host-resources.ts promise, against any driver. A driver's own `*.conformance.ts` calls
 * {@link driverConformance} with a way to open the driver; nothing here knows which driver it is.
 *
 * The words of errors that the suite expects: MissingDependency (retry), InUse (retry), NameTaken (terminal),
 * ChecksumMismatch (terminal), ImageTooLarge (terminal), ImageUnavailable (retry).
 * Whether a domain runs is told by `domain`; it is not drift.
 */
import type { HostResource, ResourceType } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CoreType, DriverFixture, Samples } from './conformance-fixture.ts';
import { ChangeLog, changed, failureOf, samples } from './conformance-fixture.ts';
import type { Driver } from './driver.ts';

export type { DriverFixture } from './conformance-fixture.ts';

/** Declares the suite. The host that `open` gives must hold nothing of Plumb's when a test begins. */
export function driverConformance(name: string, open: () => Promise<DriverFixture>): void {
  describe(`driver ${name}`, () => {
    let fixture: DriverFixture;
    let driver: Driver;
    let log: ChangeLog;
    let it: Samples;
    let number = 0;

    beforeAll(async () => {
      fixture = await open();
      driver = fixture.driver;
    });
    afterAll(async () => {
      await fixture?.close();
    });
    beforeEach(() => {
      log = new ChangeLog(driver);
      number += 1;
      it = samples(fixture, number);
    });
    afterEach(async () => {
      log.end();
      for (const resource of [it.domain, it.second, ...[...it.all].reverse()]) await driver.remove(resource);
    });

    const make = async (...kinds: CoreType[]) => {
      for (const kind of kinds) await driver.ensure(it[kind]);
    };
    const find = async (resource: { kind: ResourceType; id: string }) =>
      (await driver.observe()).find((live) => resourceKey(live) === resourceKey(resource));

    test('says what the machine has', async () => {
      const facts = await driver.facts();
      expect(facts.cpus).toBeGreaterThan(0);
      expect(facts.memoryMiB).toBeGreaterThan(0);
    });

    test('makes every kind as declared, and tells before it resolves', async () => {
      for (const resource of it.all) {
        await driver.ensure(resource);
        const told = log.last(resource);
        expect(told, `no change of ${resourceKey(resource)} was told before ensure resolved`).toBeDefined();
        expect(told).toMatchObject({ type: 'changed', resource: { ...resource, drift: [] } });
      }
      const live = await driver.observe();
      expect(live.map(resourceKey).sort()).toEqual(it.all.map(resourceKey).sort());
      for (const resource of it.all) {
        const { drift, domain: facts, ...found } = live.find((one) => resourceKey(one) === resourceKey(resource))!;
        expect(found).toEqual(resource);
        expect(drift).toEqual([]);
        expect(facts === undefined).toBe(resource.kind !== 'domain');
      }
    });

    test('making everything twice is making it once', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      const once = await driver.observe();
      for (const resource of it.all) await driver.ensure(resource);
      const twice = await driver.observe();
      expect(sorted(twice)).toEqual(sorted(once));
    });

    test('making the same thing several times at once is making it once', async () => {
      await Promise.all([1, 2, 3, 4].map(() => driver.ensure(it.image)));
      await Promise.all([1, 2, 3, 4].map(() => driver.ensure(it.bridge)));
      expect(sorted(await driver.observe()).map(resourceKey)).toEqual([it.bridge, it.image].map(resourceKey));
    });

    test('changes what is there, and tells it', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      // The disk is changed while no domain has it.
      await driver.remove(it.domain);
      for (const resource of it.changes) {
        if (resource.kind === 'domain') await driver.ensure(it.domain);
        log.clear();
        await driver.ensure(resource);
        expect(log.last(resource)).toMatchObject({ type: 'changed', resource: { ...resource, drift: [] } });
        const { kind, id, owner, spec } = (await find(resource))!;
        expect({ kind, id, owner, spec }).toEqual(resource);
      }
    });

    test('removes every kind, and tells before it resolves', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      for (const resource of [...it.all].reverse()) {
        log.clear();
        await driver.remove(resource);
        const { kind, id, owner } = resource;
        expect(log.last(resource)).toEqual({ type: 'removed', kind, id, owner });
        expect(await find(resource)).toBeUndefined();
      }
      expect(await driver.observe()).toEqual([]);
    });

    test('removing what is not there succeeds', async () => {
      for (const resource of it.all) await driver.remove(resource);
      expect(await driver.observe()).toEqual([]);
    });

    test.each<[CoreType, CoreType[]]>([
      ['subnet', []],
      ['disk', []],
      ['port', ['bridge']],
      ['domain', ['image', 'bridge', 'subnet', 'disk', 'seed']],
    ])('refuses a %s whose dependencies are missing, and leaves nothing', async (kind, there) => {
      await make(...there);
      const before = sorted(await driver.observe());
      const error = await failureOf(driver.ensure(it[kind]));
      expect(error).toMatchObject({ reason: 'MissingDependency', retry: 'retry' });
      expect(sorted(await driver.observe())).toEqual(before);
    });

    test('refuses to remove what another resource of ours refers to', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      for (const kind of ['image', 'bridge', 'subnet', 'disk', 'seed', 'port'] as const) {
        const error = await failureOf(driver.remove(it[kind]));
        expect([kind, error.reason, error.retry]).toEqual([kind, 'InUse', 'retry']);
      }
      expect((await driver.observe()).map(resourceKey).sort()).toEqual(it.all.map(resourceKey).sort());
    });

    test('switches a domain on and off', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      expect((await find(it.domain))?.domain?.state).toBe('off');
      await driver.ensure(it.running);
      expect(log.last(it.domain)).toMatchObject({ type: 'changed', resource: { domain: { state: 'running' } } });
      expect((await find(it.domain))?.domain?.state).toBe('running');
      await driver.ensure(it.domain);
      expect(log.last(it.domain)).toMatchObject({ type: 'changed', resource: { domain: { state: 'off' } } });
      expect((await find(it.domain))?.domain?.state).toBe('off');
    });

    test('a running domain gains and loses a port, gains processors, and runs on; fewer or more than it takes restart it', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      await driver.ensure(it.running);
      const run = await fixture.runOf(it.domain.id);
      await driver.ensure(it.second);
      for (let twice = 0; twice < 2; twice++) {
        await driver.ensure(it.wider);
        expect(await find(it.domain)).toMatchObject({ ...it.wider, drift: [], domain: { state: 'running' } });
      }
      expect(await failureOf(driver.remove(it.second))).toMatchObject({ reason: 'InUse' });
      for (let twice = 0; twice < 2; twice++) {
        await driver.ensure(it.running);
        expect(await find(it.domain)).toMatchObject({ ...it.running, drift: [], domain: { state: 'running' } });
      }
      await driver.remove(it.second);
      expect((await find(it.domain))?.drift).toEqual([]);
      expect(await fixture.runOf(it.domain.id)).toBe(run);
      const sized = (cpus: number) => ({ ...it.running, spec: { ...it.running.spec, cpus } });
      const most = (await find(it.domain))?.domain?.maxCpus ?? 1;
      for (const cpus of most > 1 ? [2, 2, most] : []) {
        await driver.ensure(sized(cpus));
        expect(await find(it.domain)).toMatchObject({ ...sized(cpus), drift: [], domain: { state: 'running' } });
      }
      expect(await fixture.runOf(it.domain.id)).toBe(run);
      await driver.ensure(sized(most + 1));
      const larger = await fixture.runOf(it.domain.id);
      expect(larger).not.toBe(run);
      expect(await find(it.domain)).toMatchObject({ ...sized(most + 1), drift: [] });
      await driver.ensure(sized(1));
      expect(await fixture.runOf(it.domain.id)).not.toBe(larger);
      expect((await find(it.domain))?.domain?.maxCpus ?? 1).toBe(most);
    });

    test('tells that a domain died, and starts it again', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      await driver.ensure(it.running);
      log.clear();
      const died = log.next((change) => changed(change, it.domain) && change.resource.domain?.state === 'off');
      await fixture.killDomain(it.domain.id);
      const told = await died;
      expect(told).toMatchObject({ resource: { spec: it.running.spec } });
      expect(['crashed', 'destroyed']).toContain(told.type === 'changed' && told.resource.domain?.reason);
      await driver.ensure(it.running);
      expect((await find(it.domain))?.domain).toMatchObject({ state: 'running' });
    });

    test('removes a running domain', async () => {
      for (const resource of it.all) await driver.ensure(resource);
      await driver.ensure(it.running);
      await driver.remove(it.domain);
      expect(await find(it.domain)).toBeUndefined();
    });

    test('tells that a port lost its bridge, and repairs it', async () => {
      await make('bridge', 'subnet', 'port');
      const lost = log.next(
        (change) =>
          (changed(change, it.port) && change.resource.drift.length > 0) ||
          (change.type === 'removed' && resourceKey(change) === resourceKey(it.port)),
      );
      await fixture.breakPort(it.port.id);
      await lost;
      expect((await find(it.port))?.drift).not.toEqual([]);
      await driver.ensure(it.port);
      expect((await find(it.port))?.drift).toEqual([]);
    });

    test('never touches a domain that it did not make', async () => {
      const foreign = await fixture.makeForeignDomain(it.domain.spec.name);
      try {
        await make('image', 'bridge', 'subnet', 'disk', 'seed', 'port');
        const before = sorted(await driver.observe());
        expect(before.map((resource) => resource.kind)).not.toContain('domain');
        for (const domain of [it.domain, it.running]) {
          const error = await failureOf(driver.ensure(domain));
          expect(error).toMatchObject({ reason: 'NameTaken', retry: 'terminal' });
          expect(error.message).toContain(it.domain.spec.name);
        }
        await driver.remove(it.domain);
        expect(await foreign.exists()).toBe(true);
        expect(sorted(await driver.observe())).toEqual(before);
      } finally {
        await foreign.remove();
      }
    });

    test('refuses an image with another checksum, does not tell the right one, and leaves nothing', async () => {
      const declared = 'ab'.repeat(32);
      const image: HostResource<'image'> = { ...it.image, id: declared, spec: { ...it.image.spec, sha256: declared } };
      const error = await failureOf(driver.ensure(image));
      expect(error).toMatchObject({ reason: 'ChecksumMismatch', retry: 'terminal' });
      for (const part of [fixture.imageUrl, declared]) expect(error.message).toContain(part);
      expect(error.message).not.toContain(fixture.imageSha256);
      expect(await driver.observe()).toEqual([]);
    });

    test('refuses an image that is larger than allowed, and leaves nothing', async () => {
      const image: HostResource<'image'> = { ...it.image, spec: { ...it.image.spec, maxBytes: 16 } };
      const error = await failureOf(driver.ensure(image));
      expect(error).toMatchObject({ reason: 'ImageTooLarge', retry: 'terminal' });
      expect(error.message).toContain(fixture.imageUrl);
      expect(await driver.observe()).toEqual([]);
    });

    test('two images of one content are one file, and what one lets go of stays for the other', async () => {
      await driver.ensure(it.image);
      const twin = { ...it.image, owner: '00000014-0000-4000-8000-0000000000aa' };
      await driver.ensure(twin);
      expect(await find(twin)).toMatchObject({ owner: twin.owner });
      await driver.remove(it.image);
      expect(await find(twin)).toMatchObject({ owner: twin.owner, drift: [] });
      await driver.remove(twin);
      expect(await driver.observe()).toEqual([]);
    });

    test('an interrupted fetch leaves nothing half made, and a later one succeeds', async () => {
      const image: HostResource<'image'> = { ...it.image, spec: { ...it.image.spec, url: fixture.brokenImageUrl } };
      const error = await failureOf(driver.ensure(image));
      expect(error).toMatchObject({ reason: 'ImageUnavailable', retry: 'retry' });
      expect(error.message).toContain(fixture.brokenImageUrl);
      expect(await driver.observe()).toEqual([]);
      await driver.ensure(it.image);
      expect(await find(it.image)).toMatchObject(it.image);
    });

    describe('a fetch that brings nothing', () => {
      const begin = () => {
        const begun = Promise.withResolvers<void>();
        const abort = new AbortController();
        const image: HostResource<'image'> = { ...it.image, spec: { ...it.image.spec, url: fixture.stalledImageUrl } };
        const attention = { signal: abort.signal, onProgress: () => begun.resolve() };
        return { image, abort, begun: begun.promise, failure: failureOf(driver.ensure(image, attention)) };
      };

      test('ends when nobody waits for it, leaves nothing, and keeps nobody from another one', async () => {
        const { abort, begun, failure } = begin();
        await begun;
        abort.abort();
        expect(await failure).toMatchObject({ reason: 'Aborted', retry: 'retry' });
        expect(await driver.observe()).toEqual([]);
        await driver.ensure(it.image);
        expect(await find(it.image)).toMatchObject(it.image);
      });

      test('ends when the image is removed', async () => {
        const { image, begun, failure } = begin();
        await begun;
        await driver.remove(image);
        expect(await failure).toMatchObject({ reason: 'Aborted', retry: 'retry' });
        expect(await driver.observe()).toEqual([]);
      });
    });

    test('a listener that was ended hears nothing more', async () => {
      let heard = 0;
      const end = driver.onChange(() => {
        heard += 1;
      });
      end();
      await driver.ensure(it.bridge);
      expect(heard).toBe(0);
    });
  });
}

function sorted<T extends { kind: ResourceType; id: string }>(resources: T[]): T[] {
  return resources.toSorted((a, b) => (resourceKey(a) < resourceKey(b) ? -1 : 1));
}
