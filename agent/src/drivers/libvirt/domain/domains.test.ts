import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Thing } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeHypervisor, off } from '../rpc/fake-hypervisor.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { LibvirtError } from '../rpc/remote-error.ts';
import type { DomainSurroundings } from './definition.ts';
import { domainXml } from './definition.ts';
import { Domains } from './domains.ts';
import { DomainTrace } from './trace.ts';

const uidOf = (number: number) => `1a57a9ce-0000-4000-8000-${String(number).padStart(12, '0')}`;

function domainOf(number: number, spec: Partial<Thing<'domain'>['spec']> = {}): Thing<'domain'> {
  const id = uidOf(number);
  const whole = { name: `default.web-${number}`, cpus: 1, memoryMiB: 96, disks: [`${id}.root`], ports: [] };
  return { kind: 'domain', id, owner: id, spec: { ...whole, power: 'Running', ...spec } };
}

const FOREIGN = `<domain type="qemu"><name>minikube</name><uuid>${uidOf(900)}</uuid><memory unit="MiB">64</memory><vcpu>1</vcpu></domain>`;

let folder: string;
let libvirt: FakeHypervisor;
let clock: ManualClock;
let domains: Domains;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-domains-'));
  libvirt = new FakeHypervisor();
  clock = new ManualClock();
  domains = new Domains({
    libvirt: libvirt.procedures,
    key: '0123abcd',
    trace: new DomainTrace(folder),
    clock,
    cutOff: async () => [],
    shutdownGraceMs: 10_000,
  });
  libvirt.onEvent = (uuid) => domains.heard(uuid);
});
afterEach(() => rm(folder, { recursive: true }));

function surroundings({ id }: Thing<'domain'>): DomainSurroundings {
  return {
    ...{ key: '0123abcd', accelerator: 'tcg', emulator: '/usr/bin/qemu-system-x86_64', taps: [] },
    disks: [{ path: join(folder, `${id}.root.qcow2`), base: { path: '/images/base.img', format: 'raw' } }],
    consoleLog: join(folder, 'console.log'),
  };
}

const ensure = (thing: Thing<'domain'>) => domains.ensure(thing, surroundings(thing));
const known = async () => {
  const { things, unseen } = await domains.observe();
  return {
    things: things.map(({ spec }) => spec.name).sort(),
    unseen: unseen.map(({ name, why }) => `${name}: ${why}`),
  };
};

describe('domains of others', () => {
  test.each([
    ['transient', { running: FOREIGN }],
    ['defined', { definition: FOREIGN }],
    ['defined and running', { definition: FOREIGN, running: FOREIGN }],
    [
      'of another driver',
      {
        running: FOREIGN.replace(
          '<memory',
          `<metadata><plumb:thing xmlns:plumb="https://plumb.dev/xmlns/libvirt/domain/1" key="ffffffff">{}</plumb:thing></metadata><memory`,
        ),
      },
    ],
  ])('that are %s are not seen, nor touched, and hide nothing', async (_what, xml) => {
    libvirt.add(xml);
    await ensure(domainOf(1));
    expect(await known()).toEqual({ things: ['default.web-1'], unseen: [] });
    await domains.remove(uidOf(900));
    expect(await domains.observeOne(uidOf(900))).toBeUndefined();
    await expect(ensure(domainOf(2, { name: 'minikube' }))).rejects.toMatchObject({ reason: 'NameTaken' });
    expect(libvirt.changes.filter((change) => change.includes('minikube'))).toEqual([]);
    expect(libvirt.domain('minikube')).toMatchObject(xml);
  });

  test.each(['domainGetXMLDesc', 'domainGetState', 'domainGetInfo', 'domainIsPersistent'])(
    'one of which libvirt cannot answer %s is named, and hides no other',
    async (procedure) => {
      for (const number of [1, 2, 3]) await ensure(domainOf(number));
      libvirt.fault = (name, domain) =>
        name === procedure && domain === 'default.web-2' ? new LibvirtError(1, 'internal error', name) : undefined;
      expect(await known()).toEqual({
        things: ['default.web-1', 'default.web-3'],
        unseen: [expect.stringMatching(/^default\.web-2: .*internal error/)],
      });
    },
  );

  test('one on which libvirt hangs holds nobody up for ever', async () => {
    for (const number of [1, 2]) await ensure(domainOf(number));
    let asked = 0;
    libvirt.fault = (_name, domain) => (domain === 'default.web-1' ? void asked++ : undefined);
    await known();
    const questions = asked;
    asked = 0;
    libvirt.fault = (_name, domain) => (domain === 'default.web-2' ? 'silence' : void asked++);
    const looking = known();
    // All others have been looked at.
    await vi.waitFor(() => expect([asked, clock.waiting]).toEqual([questions, 1]), 30_000);
    clock.advance(10_000);
    expect(await looking).toEqual({
      things: ['default.web-1'],
      unseen: [expect.stringMatching(/^default\.web-2: libvirt has not said within 10 s/)],
    });
  });
});

describe('a domain of ours that somebody made transient', () => {
  test('is drift, and is defined again while it runs on', async () => {
    await ensure(domainOf(1));
    const { id } = libvirt.domain('default.web-1');
    await libvirt.procedures.undefine(libvirt.domain('default.web-1'));
    expect(await domains.observeOne(uidOf(1))).toMatchObject({
      spec: domainOf(1).spec,
      drift: [expect.stringContaining('removed from libvirt')],
      domain: { state: 'running' },
    });
    expect(await ensure(domainOf(1))).toMatchObject({ drift: [], domain: { state: 'running' } });
    expect(libvirt.domain('default.web-1')).toMatchObject({ id, definition: expect.any(String) });
  });

  test('is switched off, removed and given another size like any other', async () => {
    for (const change of [{ power: 'Stopped' as const }, { memoryMiB: 128 }]) {
      await ensure(domainOf(1));
      await libvirt.procedures.undefine(libvirt.domain('default.web-1'));
      expect(await ensure(domainOf(1, change))).toMatchObject({ ...domainOf(1, change), drift: [] });
      expect(libvirt.domain('default.web-1').definition).toBeDefined();
    }
    await libvirt.procedures.undefine(libvirt.domain('default.web-1'));
    await domains.remove(uidOf(1));
    expect(libvirt.domains).toEqual([]);
  });
});

test('a definition that is the declared one is not drift, whoever ended the guest', async () => {
  await ensure(domainOf(1));
  libvirt.end(libvirt.domain('default.web-1'), off.crashed);
  expect(await domains.observeOne(uidOf(1))).toMatchObject({ drift: [], domain: { state: 'off', reason: 'crashed' } });
  expect(libvirt.domain('default.web-1').definition).toBe(domainXml(domainOf(1), surroundings(domainOf(1))));
});
