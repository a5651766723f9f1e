import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeHypervisor, off } from '../rpc/fake-hypervisor.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { LibvirtError } from '../rpc/remote-error.ts';
import type { Machine } from './accelerator.ts';
import type { DomainParts } from './definition.ts';
import { domainXml } from './definition.ts';
import { Domains } from './domains.ts';
import { DomainTrace } from './trace.ts';

const uidOf = (number: number) => `1a57a9ce-0000-4000-8000-${String(number).padStart(12, '0')}`;

function domainOf(number: number, spec: Partial<HostResource<'domain'>['spec']> = {}): HostResource<'domain'> {
  const id = uidOf(number);
  const whole = { name: `default.web-${number}`, cpus: 1, memoryMiB: 96, disks: [`${id}.root`], ports: [] };
  return { kind: 'domain', id, owner: id, spec: { ...whole, power: 'Running', ...spec } };
}

const QEMU = '/usr/bin/qemu-system-x86_64';
const FOREIGN = `<domain type="qemu"><name>minikube</name><uuid>${uidOf(900)}</uuid><memory unit="MiB">64</memory><vcpu>1</vcpu></domain>`;

let folder: string;
let libvirt: FakeHypervisor;
let clock: ManualClock;
let domains: Domains;
let machine: Machine;
let hasSpace: boolean;
let seedContent: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-domains-'));
  libvirt = new FakeHypervisor();
  clock = new ManualClock();
  hasSpace = true;
  seedContent = 'i-1';
  machine = { accelerator: 'tcg', emulator: QEMU, newest: 'pc-q35-7.2', versions: new Set(['pc-q35-7.2']) };
  domains = new Domains({
    libvirt: libvirt.procedures,
    key: '0123abcd',
    trace: new DomainTrace(folder),
    clock,
    cutOff: async () => [],
    partsOf,
    machine: async () => machine,
    isThere: (path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    hasSpace: async () => hasSpace,
    log: () => {},
    shutdownGraceMs: 10_000,
  });
  libvirt.onEvent = (uuid) => void domains.heard(uuid);
});
afterEach(async () => {
  domains.close();
  await rm(folder, { recursive: true });
});

function partsOf({ spec }: HostResource<'domain'>): DomainParts {
  return {
    ...{ key: '0123abcd', accelerator: machine.accelerator, emulator: QEMU, taps: [] },
    disks: spec.disks.map((disk) => ({ path: diskOf(disk), base: { path: '/images/base.img', format: 'raw' } })),
    seedContent,
    consoleLog: join(folder, 'console.log'),
  };
}

const diskOf = (disk: string) => `/disks/${disk}.qcow2`;
const ensured = (resource: HostResource<'domain'>) => domains.ensure(resource, partsOf(resource));
const ensure = async (resource: HostResource<'domain'>) => (await ensured(resource)).live;
const web = () => libvirt.domain('default.web-1');
const seen = async () => (await domains.observeOne(uidOf(1)))!;
const known = async () => {
  const { resources, unseen } = await domains.observe();
  return {
    resources: resources.map(({ spec }) => spec.name).sort(),
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
    expect(await known()).toEqual({ resources: ['default.web-1'], unseen: [] });
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
        resources: ['default.web-1', 'default.web-3'],
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
      resources: ['default.web-1'],
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

describe('a definition that somebody edited', () => {
  const edit = (from: string | RegExp, to: string) => {
    web().definition = web().definition!.replace(from, to);
  };

  test('is drift while the guest runs, and is put right without a restart', async () => {
    await ensure(domainOf(1));
    const { id } = web();
    edit('<on_reboot>restart', '<on_reboot>destroy');
    expect(await domains.redefined()).toEqual([uidOf(1)]);
    expect((await seen()).drift).toEqual([expect.stringMatching(/^its definition was edited.*on_reboot is destroy/)]);
    expect(await domains.redefined()).toEqual([]);
    expect(await ensure(domainOf(1))).toMatchObject({ drift: [], domain: { state: 'running' } });
    expect(web().id).toBe(id);
    expect(web().definition).toContain('<on_reboot>restart');
  });

  test('is drift when the guest is off, and what was started with it says what it keeps until the next start', async () => {
    await ensure(domainOf(1, { power: 'Stopped' }));
    edit('machine="pc-q35-7.2">', 'machine="pc-q35-6.0">');
    expect((await seen()).drift).toEqual([expect.stringContaining('machine is pc-q35-6.0')]);
    await libvirt.procedures.create(web());
    const started = await ensure(domainOf(1));
    expect(started.drift).toEqual([]);
    expect(started.domain?.edited).toMatch(/machine is pc-q35-6\.0, and pc-q35-7\.2 is declared/);
    await ensure(domainOf(1, { power: 'Stopped' }));
    expect((await ensure(domainOf(1))).domain?.edited).toBeUndefined();
  });

  test('and that took our mark away is still ours while it runs, and gets it back', async () => {
    await ensure(domainOf(1));
    edit(/<metadata>[\s\S]*<\/metadata>/, '');
    expect((await seen()).drift).toEqual([expect.stringContaining('mark of Plumb')]);
    expect(await ensure(domainOf(1))).toMatchObject({ drift: [] });
    expect(web().definition).toContain('<metadata>');
  });
});

describe('the machine that a guest sees', () => {
  test('is that of its first start, whatever QEMU is newer, until that has it no more', async () => {
    await ensure(domainOf(1));
    machine = { ...machine, newest: 'pc-q35-8.2', versions: new Set(['pc-q35-7.2', 'pc-q35-8.2']) };
    await ensure(domainOf(1, { memoryMiB: 128 }));
    expect(web().running).toContain('machine="pc-q35-7.2">hvm');
    machine = { ...machine, versions: new Set(['pc-q35-8.2']) };
    const { notes, live } = await ensured(domainOf(1));
    expect(notes).toEqual([expect.stringMatching(/given the machine pc-q35-8\.2.*no pc-q35-7\.2/)]);
    expect(live.drift).toEqual([]);
    expect(web().running).toContain('machine="pc-q35-8.2">hvm');
  });

  test('is kept of what an earlier version made, and nothing of that is an edit', async () => {
    const former = domainXml(domainOf(1), { ...partsOf(domainOf(1)), layout: 1, machine: 'pc-q35-6.2' });
    libvirt.add({ definition: former, running: former });
    expect(await seen()).toMatchObject({ drift: [], domain: { state: 'running', reason: 'booted' } });
    machine = { ...machine, versions: new Set(['pc-q35-6.2', 'pc-q35-7.2']) };
    expect(await ensure(domainOf(1))).toMatchObject({ drift: [] });
    expect(libvirt.changes).toEqual([]);
    await ensure(domainOf(1, { memoryMiB: 128 }));
    expect(web().running).toContain('machine="pc-q35-6.2">hvm');
    expect(web().running).toContain('<panic model="isa"/>');
  });
});

describe('a disk that somebody put in the place of ours', () => {
  const ours = diskOf(`${uidOf(1)}.root`);
  let overlay: string;
  beforeEach(async () => {
    overlay = join(folder, 'overlay.qcow2');
    await writeFile(overlay, 'what the guest wrote');
  });

  /** As libvirt notes an external snapshot: what was the disk is below the new one. */
  const snapshot = (xml: string) =>
    xml.replace(
      /<source file="[^"]*root\.qcow2">[\s\S]*?<\/source>/,
      (source) => `<source file="${overlay}"/><backingStore type="file"><format type="qcow2"/>${source}</backingStore>`,
    );
  const copy = (xml: string) => xml.replace(/<source file="[^"]*root\.qcow2">/, `<source file="${overlay}">`);
  const extra = (xml: string) =>
    xml.replace('</disk>', `</disk><disk type="file"><source file="${overlay}"/><target dev="vdb"/></disk>`);
  const change = (how: (xml: string) => string) => {
    web().definition = how(web().definition!);
    if (web().running !== undefined) web().running = how(web().running!);
  };

  test.each([
    [
      'an external snapshot',
      snapshot,
      /vda is .*overlay.*external snapshot.*blockcommit default\.web-1 vda --base \/disks\/[^ ]*root\.qcow2 --active/,
    ],
    ['a copy', copy, /vda is .*overlay.*copy of it.*blockcopy default\.web-1 vda/],
    ['one more disk', extra, /a disk vdb .*overlay.*detach-disk default\.web-1 vdb --persistent/],
  ])('%s is told with what to do, and the guest runs on', async (_what, how, words) => {
    await ensure(domainOf(1));
    change(how);
    const before = libvirt.changes.length;
    expect(await seen()).toMatchObject({
      drift: [],
      domain: { state: 'running', atRisk: expect.stringMatching(words) },
    });
    for (const spec of [{}, { memoryMiB: 128 }, { cpus: 2 }])
      await expect(ensure(domainOf(1, spec))).rejects.toMatchObject({ reason: 'DataLoss', retry: 'terminal' });
    expect(libvirt.changes.length).toBe(before);
    change((xml) => xml.replaceAll(overlay, ours).replace(/<disk type="file"><source.*?<\/disk>/, ''));
    expect((await seen()).domain?.atRisk).toBeUndefined();
  });

  test.each([
    ['crashed', off.crashed],
    ['was destroyed', off.destroyed],
    ['shut down', off.shutdown],
  ])('is never started over when the guest %s', async (_what, reason) => {
    await ensure(domainOf(1));
    change(snapshot);
    libvirt.end(web(), reason);
    const before = web().definition;
    expect((await seen()).domain?.atRisk).toContain('virsh start default.web-1; virsh blockcommit');
    await expect(ensure(domainOf(1))).rejects.toMatchObject({ reason: 'DataLoss', retry: 'terminal' });
    expect(web()).toMatchObject({ definition: before, running: undefined });
    await rm(overlay);
    expect((await seen()).domain?.atRisk).toBeUndefined();
    expect(await ensure(domainOf(1))).toMatchObject({ drift: [], domain: { state: 'running' } });
  });

  test('lets the guest be switched off, as is declared, and not on', async () => {
    await ensure(domainOf(1));
    change(snapshot);
    const stopped = await ensure(domainOf(1, { power: 'Stopped' }));
    expect(stopped).toMatchObject({ spec: { power: 'Stopped' }, domain: { state: 'off', reason: 'shutdown' } });
    expect(web().definition).toContain(overlay);
    const before = libvirt.changes.length;
    expect(await ensure(domainOf(1, { power: 'Stopped' }))).toEqual(stopped);
    await expect(ensure(domainOf(1))).rejects.toMatchObject({ reason: 'DataLoss' });
    expect(libvirt.changes.slice(before).filter((done) => !done.startsWith('note'))).toEqual([]);
  });

  test('is remembered when its domain is undefined, until the file is gone', async () => {
    await ensure(domainOf(1));
    change(snapshot);
    await domains.observe();
    libvirt.end(web(), off.destroyed);
    await libvirt.procedures.undefine(web());
    await expect(ensure(domainOf(1))).rejects.toMatchObject({
      reason: 'DataLoss',
      message: expect.stringContaining(`qemu-img commit -b ${ours} ${overlay}`),
    });
    expect(libvirt.domains).toEqual([]);
    await rm(overlay);
    expect(await ensure(domainOf(1))).toMatchObject({ domain: { state: 'running' } });
  });

  test('gives way to another disk, which is asked for as a loss of data, and goes with nothing but the domain', async () => {
    await ensure(domainOf(1));
    change(snapshot);
    await ensure(domainOf(1, { disks: [`${uidOf(1)}.root-2`] }));
    expect((await seen()).domain?.atRisk).toBeUndefined();
    change((xml) => xml.replace(/<source file="[^"]*root-2\.qcow2">/, `<source file="${overlay}">`));
    expect(await domains.remove(uidOf(1))).toEqual([overlay]);
    expect(libvirt.domains).toEqual([]);
    await access(overlay);
  });
});

describe('a guest that QEMU holds, since its disk is full', () => {
  const tick = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
  };
  const resumed = () => libvirt.changes.filter((done) => done === 'resume default.web-1').length;

  test('is told with its disk, is no drift, and is not let go by whoever asks', async () => {
    await ensure(domainOf(1));
    libvirt.hold(web(), 5, { vda: 2 });
    hasSpace = false;
    const held = await ensure(domainOf(1));
    expect(held).toMatchObject({
      drift: [],
      domain: { state: 'running', paused: expect.stringMatching(/no space.*vda/) },
    });
    expect(resumed()).toBe(0);
  });

  test('goes on by itself when there is space, and is let go ever more seldom when that was no use', async () => {
    await ensure(domainOf(1));
    libvirt.hold(web(), 5, { vda: 2 });
    hasSpace = false;
    await seen();
    for (let second = 0; second < 120; second++) await tick(1_000);
    expect(resumed()).toBe(0);
    hasSpace = true;
    const times: number[] = [];
    for (let second = 0; second < 120; second++) {
      const before = resumed();
      await tick(1_000);
      if (resumed() === before) continue;
      times.push(second);
      libvirt.hold(web(), 5, { vda: 2 });
      await seen();
    }
    expect(times[0]).toBeLessThanOrEqual(30);
    const waits = times.slice(1).map((time, index) => time - times[index]!);
    expect(Math.max(...waits)).toBeLessThanOrEqual(31);
    expect(times.length).toBeLessThan(10);
  });

  test('by a disk that failed is let go whatever space there is', async () => {
    await ensure(domainOf(1));
    libvirt.hold(web(), 5, { vda: 1 });
    hasSpace = false;
    expect((await seen()).domain?.paused).toMatch(/disk vda failed/);
    for (let second = 0; second < 5; second++) await tick(1_000);
    expect(resumed()).toBe(1);
    expect((await seen()).domain?.paused).toBeUndefined();
  });
});

describe('a memory that somebody saved', () => {
  test('is what an unchanged guest goes on from', async () => {
    await ensure(domainOf(1));
    libvirt.save(web());
    expect(await seen()).toMatchObject({ drift: [], domain: { state: 'off', reason: 'saved' } });
    const before = libvirt.changes.length;
    expect(await ensured(domainOf(1))).toMatchObject({ live: { drift: [], domain: { state: 'running' } }, notes: [] });
    expect(libvirt.changes.slice(before)).not.toContain('forget memory default.web-1');
  });

  test.each([
    ['another disk', { disks: [`${uidOf(1)}.root-2`] }],
    ['another size', { memoryMiB: 128 }],
    ['no interface any more', { ports: [] }],
  ])('never brings back what the guest was before it got %s', async (_what, spec) => {
    const port = { id: `${uidOf(1)}.eth0`, macAddress: '02:00:00:00:00:01', mtuBytes: 1450 };
    const before = domainOf(1, { ports: [port] });
    await ensure(before);
    const changed = { ...before, spec: { ...before.spec, ...spec } };
    libvirt.save(web());
    const { live, notes } = await ensured({ ...changed, spec: { ...changed.spec, power: 'Stopped' } });
    expect(live).toMatchObject({ domain: { state: 'off' } });
    expect(notes).toEqual([expect.stringContaining('was given up')]);
    await ensure(changed);
    expect(web().running).toBe(web().definition);
    expect(await seen()).toMatchObject({ spec: changed.spec, drift: [], domain: { state: 'running' } });
    expect((await seen()).domain?.atRisk).toBeUndefined();
  });
});

describe('what ended a guest', () => {
  test('is its kernel, when it said so, and that is known until it is started', async () => {
    await ensure(domainOf(1));
    await domains.heard(uidOf(1), true);
    libvirt.end(web(), off.crashed);
    for (let twice = 0; twice < 2; twice++) expect((await seen()).domain).toEqual({ state: 'off', reason: 'panicked' });
    await ensure(domainOf(1));
    libvirt.end(web(), off.crashed);
    expect((await seen()).domain).toEqual({ state: 'off', reason: 'crashed' });
  });

  test('is its plug, when it does not power off in its time; that is said', async () => {
    await ensure(domainOf(1));
    libvirt.obedient = false;
    const stopping = ensured(domainOf(1, { power: 'Stopped' }));
    let notes: string[] | undefined;
    void stopping.then((ended) => {
      notes = ended.notes;
    });
    while (notes === undefined) {
      clock.advance(1_000);
      await new Promise((done) => setImmediate(done));
    }
    expect(notes).toEqual([expect.stringMatching(/plug of default\.web-1 was pulled.*10 s/)]);
    libvirt.obedient = true;
    await ensure(domainOf(1));
    expect((await ensured(domainOf(1, { power: 'Stopped' }))).notes).toEqual([]);
  });
});

test('a guest that libvirt starts or saves is left to libvirt; one that somebody paused is let go', async () => {
  await ensure(domainOf(1));
  for (const reason of [3, 9, 11]) {
    libvirt.hold(web(), reason);
    expect(await ensure(domainOf(1))).toMatchObject({ drift: [], domain: { state: 'running' } });
  }
  expect(libvirt.changes).not.toContain('resume default.web-1');
  libvirt.hold(web(), 1);
  expect((await seen()).drift).toEqual(['it is paused: somebody paused it on the host']);
  expect(await ensure(domainOf(1))).toMatchObject({ drift: [] });
  expect(libvirt.changes).toContain('resume default.web-1');
});

test('a seed that took the place of the one that a guest was started with is told until its next start', async () => {
  await ensure(domainOf(1));
  expect((await seen()).domain?.oldSeed).toBeUndefined();
  seedContent = 'i-2';
  expect((await seen()).domain?.oldSeed).toBe(true);
  await ensure(domainOf(1, { power: 'Stopped' }));
  expect((await seen()).domain?.oldSeed).toBeUndefined();
  expect((await ensure(domainOf(1))).domain?.oldSeed).toBeUndefined();
});
