/** What only a guest that really boots can show. The tests tell one story, in order. */
import { chmod, chown, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DomainFacts, HostResource, LiveResource } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChangeLog, changed } from '../conformance-fixture.ts';
import type { Driver } from '../driver.ts';
import type { GuestResources } from './guest-resources.ts';
import { GUEST_ADDRESS, guestResources, SECOND_ADDRESS, SERVER_ADDRESS, SHELL_PORT } from './guest-resources.ts';
import { RealHost, whyNoRealHost } from './real-host.ts';

const GREET = join(import.meta.dirname, '../../../../scripts/greet.ts');
const STRANGER = '10.213.1.50';
const UNDECLARED = '10.213.1.99';

type Plugged = HostResource<'domain'>['spec']['ports'][number];

const missing = await whyNoRealHost();

describe.skipIf(missing !== undefined)('a guest on libvirt', () => {
  let host: RealHost;
  let driver: Driver;
  let log: ChangeLog;
  let web: GuestResources;
  let twin: GuestResources;

  beforeAll(async () => {
    host = await RealHost.open();
    // A wire to the outside: one end becomes the bridge's physical interface, a stranger sits at the other.
    await host.addWire('wire0', STRANGER);
    web = guestResources({
      number: 1,
      image: host.image,
      bridge: { name: 'lab', type: 'flat', physicalInterface: 'wire0', mtuBytes: 1400, peers: [] },
    });
    twin = guestResources({
      number: 2,
      image: host.image,
      bridge: { name: 'lab2', type: 'vxlan', vni: 200, mtuBytes: 1450, peers: ['192.0.2.2'] },
    });
    driver = await host.openDriver({ shutdownGraceMs: 20_000 });
    log = new ChangeLog(driver);
  });
  afterAll(async () => {
    await driver?.close();
    await host?.close();
  });

  const greet = (guest: GuestResources, address = GUEST_ADDRESS, subnet = guest.first) =>
    host.runInSubnet(subnet.id)(process.execPath, [GREET, '--wait', '60', address], { timeoutMs: 70_000 });
  const bootsOf = async (guest: GuestResources) => Number(/boots=(\d+)/.exec(await greet(guest))?.[1]);
  const shell = (command: string) => host.shell(web.first.id, GUEST_ADDRESS, SHELL_PORT, command);
  const ping = (from: string, to: string) => shell(`ping -c 1 -W 1 -I ${from} ${to} >/dev/null; echo $?`);
  const find = async (resource: { kind: string; id: string }) =>
    (await driver.observe()).find(({ kind, id }) => kind === resource.kind && id === resource.id);
  const ended = (reason: DomainFacts['reason']) =>
    log.next((change) => changed(change, web.domain) && change.resource.domain?.reason === reason);

  test('boots, and answers at the address that was declared for it', async () => {
    for (const guest of [web, twin]) for (const resource of guest.all) await driver.ensure(resource);
    expect(await greet(web)).toMatch(/^web-1 .*boots=1/);
    expect(await greet(web, SECOND_ADDRESS, web.second)).toMatch(/^web-1 /);
    // The same address in another network is another guest.
    expect(await greet(twin)).toMatch(/^web-2 .*boots=1/);
    const live = await driver.observe();
    expect(live.flatMap(({ kind, id, drift }) => drift.map((sentence) => `${kind}/${id}: ${sentence}`))).toEqual([]);
  });

  test('has a QEMU that is nobody, calls what QEMU needs, and writes nothing but its disk', async () => {
    const status = await readFile(`/proc/${await host.qemuPid(web.domain.id)}/status`, 'utf8');
    const [, uid, gid] = /^Uid:\t(\d+)[\s\S]*^Gid:\t(\d+)/m.exec(status)!.map(Number);
    expect(uid).toBeGreaterThan(0);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    for (const set of ['CapEff', 'CapPrm', 'CapInh']) expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'));
    const owners = async (path: string) => {
      const found = await stat(join(host.dataDir, path));
      return [found.uid, found.gid, (found.mode & 0o777).toString(8)];
    };
    expect(await owners(`disks/${web.disk.id}.qcow2`)).toEqual([uid, gid, '600']);
    expect(await owners(`images/${web.image.id}.img`)).toEqual([0, gid, '440']);
    expect(await owners(`seeds/${web.seed.id}.iso`)).toEqual([0, gid, '440']);
    const inRootsEyes = [host.dataDir, join(host.dataDir, 'things'), join(host.dataDir, 'domains')];
    for (const folder of inRootsEyes) expect((await stat(folder)).mode & 0o022).toBe(0);
    expect(driver.troubles()).toEqual([]);
  });

  test('learns MTU and name servers with its address', async () => {
    expect(await shell('cat /sys/class/net/eth0/mtu')).toBe('1400');
    expect(await shell(`nslookup web-1.lab.internal ${SERVER_ADDRESS}`)).toContain(GUEST_ADDRESS);
  });

  test('is heard from its declared address and from no other', async () => {
    expect(await ping(GUEST_ADDRESS, SERVER_ADDRESS)).toBe('0');
    await shell(`ip addr add ${UNDECLARED}/32 dev eth0`);
    expect(await ping(UNDECLARED, SERVER_ADDRESS)).toBe('1');
    const [port] = web.ports;
    await driver.ensure({ ...port, spec: { ...port.spec, addresses: [GUEST_ADDRESS, UNDECLARED] } });
    expect(await ping(UNDECLARED, SERVER_ADDRESS)).toBe('0');
    await driver.ensure(port);
    expect(await ping(UNDECLARED, SERVER_ADDRESS)).toBe('1');
  });

  test('cannot claim the address of another by ARP, nor send from another Ethernet address', async () => {
    const claim = (address: string) => shell(`arping -q -c 1 -w 1 -s ${address} -I eth0 ${SERVER_ADDRESS}; echo $?`);
    expect(await claim(GUEST_ADDRESS)).toBe('0');
    expect(await claim(UNDECLARED)).toBe('1');
    const pingAs = (mac: string) =>
      `ip link set eth0 address ${mac}; ping -c 1 -W 1 -I ${GUEST_ADDRESS} ${SERVER_ADDRESS} >/dev/null; echo $?`;
    const { macAddress } = web.ports[0].spec;
    // The connection is cut meanwhile: what came of it is read afterwards.
    await shell(`(${pingAs('52:54:00:01:01:99')}; ${pingAs(macAddress)}) >/tmp/spoofed 2>&1 &`);
    await host.runInSubnet(web.first.id)('ip', ['neigh', 'flush', 'dev', 'leg']);
    await greet(web);
    expect(await shell('while [ $(wc -l </tmp/spoofed) -lt 2 ]; do sleep 0.2; done; cat /tmp/spoofed')).toBe('1\n0');
  });

  test('is reached over the wire, on which the gateway is never heard', async () => {
    expect(await host.pingFromWire('wire0', GUEST_ADDRESS)).toBe(true);
    expect(await host.pingFromWire('wire0', SERVER_ADDRESS)).toBe(false);
    expect(await host.claimOnWire('wire0', SERVER_ADDRESS)).toBe(true);
    expect(await ping(GUEST_ADDRESS, SERVER_ADDRESS)).toBe('0');
  });

  test('keeps its port: what is taken from it is told and repaired', async () => {
    const [port] = web.ports;
    const tap = host.names.tap(port.id);
    const drifts = (resource: HostResource, word: string) =>
      log.next((change) => changed(change, resource) && change.resource.drift.join().includes(word));
    const told = drifts(port, 'not on the bridge');
    await host.run('ip', ['link', 'set', 'dev', tap, 'nomaster']);
    await told;
    await driver.ensure(port);
    await greet(web);
    await host.run('nft', ['delete', 'table', 'bridge', host.names.table()]);
    expect((await find(port))?.drift.join()).toContain('filter');
    await driver.ensure(port);
    expect((await find(port))?.drift).toEqual([]);
    expect(await ping(UNDECLARED, SERVER_ADDRESS)).toBe('1');
  });

  test('keeps its network: a DHCP server that died and a leg that went are told and repaired', async () => {
    await host.killDhcp(web.first.id);
    expect((await find(web.first))?.drift.join()).toContain('DHCP');
    await driver.ensure(web.first);
    expect((await find(web.first))?.drift).toEqual([]);
    await host.run('ip', ['link', 'del', host.names.leg(web.first.id)]);
    expect((await find(web.first))?.drift.join()).toContain('leg');
    await driver.ensure(web.first);
    expect((await find(web.first))?.drift).toEqual([]);
    await greet(web);
    // The new server listens on the new leg: a guest that asks again is answered.
    expect(await shell('udhcpc -n -q -i eth0 -s /bin/true -t 3 -T 1 2>&1')).toContain(`lease of ${GUEST_ADDRESS}`);
  });

  test('gains and loses an interface while it runs, and one that was interrupted goes on', async () => {
    const pid = await host.qemuPid(web.domain.id);
    const [first, second] = web.domain.spec.ports as [Plugged, Plugged];
    const interfaces = () => shell('ls /sys/class/net');
    // The guest's kernel finds a new device in its own time.
    const noticed = () => shell('for i in $(seq 50); do [ -e /sys/class/net/eth1 ] && break; sleep 0.2; done');
    await driver.ensure({ ...web.domain, spec: { ...web.domain.spec, ports: [first] } });
    expect(await interfaces()).toBe('eth0\nlo');
    await driver.remove(web.ports[1]);
    await driver.ensure(web.ports[1]);
    await driver.ensure(web.domain);
    await noticed();
    expect(await shell('cat /sys/class/net/eth1/address /sys/class/net/eth1/mtu')).toBe(`${second.macAddress}\n1400`);
    await shell('ip link set eth1 up; udhcpc -n -q -i eth1 -s /etc/dhcp.sh -t 5 -T 1 2>&1');
    expect(await greet(web, SECOND_ADDRESS, web.second)).toMatch(/^web-1 /);
    // As after an agent that died in the middle: the definition says one thing, QEMU has another.
    const { name } = web.domain.spec;
    await host.virsh('detach-interface', name, 'ethernet', '--mac', second.macAddress, '--live');
    expect((await find(web.domain))?.drift.join()).toContain(second.id);
    await driver.ensure(web.domain);
    expect((await find(web.domain))?.drift).toEqual([]);
    await noticed();
    expect(await interfaces()).toBe('eth0\neth1\nlo');
    const tap = host.names.tap(web.ports[1].id);
    const stray = '52:54:00:01:01:77';
    const device = join(host.folder, 'stray.xml');
    await writeFile(device, `<interface type='ethernet'><mac address='${stray}'/><model type='virtio'/></interface>`);
    await host.virsh('attach-device', name, device, '--live');
    expect((await find(web.domain))?.drift.join()).toContain(stray);
    await driver.ensure(web.domain);
    expect((await find(web.domain))?.drift).toEqual([]);
    const present = await host.virsh('domiflist', name);
    expect([present.includes(stray), present.includes(tap)]).toEqual([false, true]);
    expect(await host.qemuPid(web.domain.id)).toBe(pid);
    expect(await host.virsh('domiflist', name, '--inactive')).toContain(second.macAddress);
  });

  test('outlives its libvirtd', async () => {
    const pid = await host.qemuPid(web.domain.id);
    const before = await driver.observe();
    const lost = log.next((change) => change.type === 'lost');
    await host.killLibvirtd();
    await host.startLibvirtd();
    await lost;
    expect(await driver.observe()).toEqual(before);
    expect(await host.qemuPid(web.domain.id)).toBe(pid);
    await driver.ensure(web.domain);
    await greet(web);
  });

  test('outlives its agent', async () => {
    const before = await driver.observe();
    log.end();
    await driver.close();
    driver = await host.openDriver({ shutdownGraceMs: 20_000 });
    log = new ChangeLog(driver);
    const byKey = (a: { id: string; kind: string }, b: { id: string; kind: string }) =>
      a.kind + a.id < b.kind + b.id ? -1 : 1;
    expect((await driver.observe()).toSorted(byKey)).toEqual(before.toSorted(byKey));
    await greet(web);
  });

  test('is told to be cut off when its tap went, and is restarted on a new one', async () => {
    const [port] = web.ports;
    const cut = log.next((change) => changed(change, web.domain) && change.resource.drift.join().includes(port.id));
    await host.run('ip', ['link', 'del', host.names.tap(port.id)]);
    await cut;
    await driver.ensure(port);
    expect((await find(port))?.drift).toEqual([]);
    expect((await find(web.domain))?.drift).not.toEqual([]);
    await driver.ensure(web.domain);
    expect((await find(web.domain))?.drift).toEqual([]);
    await greet(web);
  });

  test('is told as crashed within seconds after its QEMU was killed', async () => {
    const crashed = ended('crashed');
    const began = performance.now();
    process.kill(await host.qemuPid(web.domain.id), 'SIGKILL');
    await crashed;
    // Most of it is libvirt's, which waits until the machine's init has buried the process.
    expect(performance.now() - began).toBeLessThan(5_000);
    await driver.ensure(web.domain);
    await greet(web);
  });

  test('gets more processors while it runs, where its QEMU takes them; one that was interrupted goes on', async () => {
    const { name } = web.domain.spec;
    const sized = (cpus: number) => ({ ...web.domain, spec: { ...web.domain.spec, cpus } });
    const processors = async (cpus: number) =>
      shell(
        `for i in $(seq 50); do [ -e /sys/devices/system/cpu/cpu${cpus - 1} ] && break; sleep 0.2; done; ` +
          'for c in /sys/devices/system/cpu/cpu*/online; do echo 1 > $c; done 2>/dev/null; grep -c ^processor /proc/cpuinfo',
      );
    // Emulated processors are not given room by themselves; with a cache that does not fill up meanwhile they take it.
    const roomy = join(host.folder, 'roomy.xml');
    const definition = await host.virsh('dumpxml', '--inactive', name);
    await writeFile(
      roomy,
      definition
        .replace(/<vcpu[^>]*>1<\/vcpu>/, "<vcpu current='1'>4</vcpu>")
        .replace(/<tb-cache unit='[^']*'>\d+</, "<tb-cache unit='MiB'>512<"),
    );
    await host.virsh('destroy', name);
    await host.virsh('define', roomy);
    await host.virsh('start', name);
    await greet(web);
    const pid = await host.qemuPid(web.domain.id);
    const edited = [expect.stringContaining('its definition was edited')];
    expect(await find(web.domain)).toMatchObject({ drift: edited, domain: { state: 'running', maxCpus: 4 } });
    await driver.ensure(sized(2));
    expect(await find(web.domain)).toMatchObject({ spec: { cpus: 2 }, drift: [], domain: { maxCpus: 4 } });
    expect(await processors(2)).toBe('2');
    // As after an agent that died in the middle: QEMU has one more, and the definition does not say so.
    await host.virsh('setvcpus', name, '3', '--live');
    expect((await find(web.domain))?.drift.join()).toContain('it has 3 processors, 2 are declared');
    for (let twice = 0; twice < 2; twice++) await driver.ensure(sized(3));
    expect(await find(web.domain)).toMatchObject({ spec: { cpus: 3 }, drift: [] });
    expect(await processors(3)).toBe('3');
    expect(await host.qemuPid(web.domain.id)).toBe(pid);
    expect(await host.virsh('dumpxml', '--inactive', name)).toMatch(/<vcpu[^>]*>3<\/vcpu>/);
    // As the undo of one that was interrupted finds it: there is one too many, which goes by a restart only.
    await host.virsh('setvcpus', name, '4', '--live');
    await driver.ensure(web.domain);
    expect(await find(web.domain)).toMatchObject({ spec: { cpus: 1 }, drift: [] });
    await greet(web);
    expect(await processors(1)).toBe('1');
  });

  test('is switched off and on in peace, keeps its disk, and is restarted to get another size', async () => {
    const bigger = { ...web.domain, spec: { ...web.domain.spec, cpus: 2, memoryMiB: 120 } };
    const boots = await bootsOf(web);
    const stopped = { ...web.domain, spec: { ...web.domain.spec, power: 'Stopped' as const } };
    await driver.ensure(stopped);
    expect((await find(web.domain))?.domain).toEqual({ state: 'off', reason: 'shutdown' });
    // As they were left by an agent under which QEMU ran as root.
    for (const file of [`disks/${web.disk.id}.qcow2`, `seeds/${web.seed.id}.iso`]) {
      await chown(join(host.dataDir, file), 0, 0);
      await chmod(join(host.dataDir, file), 0o600);
    }
    await driver.ensure(web.domain);
    expect(await bootsOf(web)).toBe(boots + 1);
    await driver.ensure(bigger);
    expect(await bootsOf(web)).toBe(boots + 2);
    expect(await shell('grep -c ^processor /proc/cpuinfo')).toBe('2');
    web.domain = bigger;
  });

  test('that powers off by itself is told apart from one whose plug was pulled, also after libvirtd forgot', async () => {
    const off = ended('shutdown');
    await shell('(sleep 1; poweroff -f) </dev/null >/dev/null 2>&1 &');
    await off;
    const lost = log.next((change) => change.type === 'lost');
    await host.killLibvirtd();
    await host.startLibvirtd();
    await lost;
    expect((await find(web.domain))?.domain).toEqual({ state: 'off', reason: 'shutdown' });
    await driver.ensure(web.domain);
    const destroyed = ended('destroyed');
    await host.virsh('destroy', web.domain.spec.name);
    await destroyed;
  });

  test('is known by its marks alone when the records of the host are lost', async () => {
    const before = await driver.observe();
    log.end();
    await driver.close();
    await rm(join(host.dataDir, 'things'), { recursive: true });
    driver = await host.openDriver();
    log = new ChangeLog(driver);
    const found = await driver.observe();
    const owners = (resources: LiveResource[]) =>
      resources.map((resource) => `${resourceKey(resource)} of ${resource.owner}`).sort();
    expect(owners(found.filter(({ kind }) => kind !== 'image'))).toEqual(
      owners(before.filter(({ kind }) => kind !== 'image')),
    );
    expect(found.filter(({ kind, drift }) => kind !== 'domain' && drift.length === 0)).toEqual([]);
    // What is declared anew takes hold of what is there.
    for (const resource of [twin.image, twin.bridge, twin.first, twin.second, ...twin.ports])
      await driver.ensure(resource);
    await greet(twin);
  });

  test('leaves nothing', async () => {
    const resources = [web, twin].flatMap(({ all }) => all.toReversed());
    for (const resource of resources) if (resource.kind !== 'image') await driver.remove(resource);
    await driver.remove(web.image);
    expect(await driver.observe()).toEqual([]);
    expect(await host.traces()).toEqual(['link wire0']);
  });
});
