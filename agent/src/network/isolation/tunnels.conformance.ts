/** Who reaches the guests of a network through its VXLAN tunnel: real datagrams from peers and from others. */
import type { HostResource } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoRealHost } from '../../drivers/libvirt/real-host.ts';
import { run, runInNetwork } from '../../host/command.ts';
import { namespacePath } from '../namespaces.ts';
import { arp, ethernet, u16 } from './frames.ts';
import { World } from './world.ts';

const missing = await whyNoRealHost();
const OTHER_HOSTS = ['192.0.2.2', '192.0.2.3', '192.0.2.9'];
/** Says it from one of the other hosts' addresses. */
const SEND = `const [address, hex] = process.argv.slice(1); const s = require('node:dgram').createSocket('udp4');
s.bind(0, address, () => s.send(Buffer.from(hex, 'hex'), 4789, '192.0.2.1', () => s.close()))`;

describe.skipIf(missing !== undefined)('the tunnels of a network', () => {
  let world: World;
  let away: string;
  let serial = 0;

  beforeAll(async () => {
    world = await World.open();
    away = `${world.names.table()}-away`;
    await run('ip', ['netns', 'add', away]);
    await world.run('ip', ['link', 'add', 'nic0', 'type', 'veth', 'peer', 'name', 'far', 'netns', away]);
    await world.run('ip', ['addr', 'add', '192.0.2.1/24', 'dev', 'nic0']);
    await world.run('ip', ['link', 'set', 'nic0', 'up']);
    const lines = OTHER_HOSTS.map((address) => `addr add ${address}/24 dev far\n`);
    await runInNetwork(namespacePath(away))('ip', ['-batch', '-'], { input: `${lines.join('')}link set far up\n` });
  });
  afterAll(async () => {
    await world?.close();
    if (away !== undefined) await run('ip', ['netns', 'del', away]);
  });

  const tunnel = (vni: number, ...peers: string[]): HostResource<'bridge'> => {
    const [, other] = world.resources.bridges;
    const number = String(vni).padStart(12, '0');
    const id = vni === 100 ? other.id : `00000012-0000-4000-8000-${number}`;
    return { ...other, id, owner: id, spec: { ...other.spec, vni, peers } };
  };
  /** Whether the stranger, a guest of network 100, hears a frame from there. */
  const reaches = async (from: string, vni: number) => {
    const { stranger } = world.cards;
    serial += 1;
    const payload = Buffer.concat([
      arp({ op: 1, sha: '52:54:00:0b:00:01', spa: '10.20.0.88', tpa: stranger.ip }),
      u16(serial),
    ]);
    const frame = ethernet({ to: 'ff:ff:ff:ff:ff:ff', from: '52:54:00:0b:00:01', type: 0x0806, payload });
    const heard = hears(frame);
    const header = Buffer.from([8, 0, 0, 0, vni >> 16, vni >> 8, vni & 0xff, 0]);
    const datagram = Buffer.concat([header, frame]).toString('hex');
    await runInNetwork(namespacePath(away))(process.execPath, ['-e', SEND, from, datagram]);
    return heard();
  };
  /** A frame that comes, comes at once; one from a peer afterwards tells that it would have. */
  const hears = (frame: Buffer) => {
    let heard = false;
    const stop = world.taps.listen((tap, found) => {
      heard ||= tap === world.mouth('stranger') && found.subarray(0, frame.length).equals(frame);
    });
    return async () => {
      const deadline = performance.now() + 300;
      while (!heard && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
      stop();
      return heard;
    };
  };
  const tables = async () => (await world.run('nft', ['list', 'tables'])).split('\n').sort().join('\n');

  test('are open to peers of that network alone, as they are declared now', async () => {
    await world.network.ensureBridge(tunnel(100, '192.0.2.2', 'no.such.address;$(id)'));
    await world.network.ensureBridge(tunnel(200, '192.0.2.3'));
    expect(await reaches('192.0.2.2', 100)).toBe(true);
    expect(await reaches('192.0.2.9', 100)).toBe(false);
    expect(await reaches('192.0.2.3', 100)).toBe(false);
    expect(await reaches('192.0.2.2', 200)).toBe(false);
    expect((await world.network.ensureBridge(tunnel(100, '192.0.2.3', '192.0.2.9'))).drift).toEqual([]);
    expect(await reaches('192.0.2.2', 100)).toBe(false);
    expect(await reaches('192.0.2.3', 100)).toBe(true);
    expect(await reaches('192.0.2.9', 100)).toBe(true);
  });

  test('of others on this host stay open, and so do their tables', async () => {
    await world.run('ip', [
      'link',
      'add',
      'vx999',
      'type',
      'vxlan',
      'id',
      '999',
      'local',
      '192.0.2.1',
      'dstport',
      '4789',
    ]);
    await world.run('ip', ['link', 'set', 'vx999', 'up']);
    await world.run('nft', [
      'add table inet somebody; add chain inet somebody input { type filter hook input priority 0; }',
    ]);
    const before = await tables();
    await world.network.ensureBridge(tunnel(100, '192.0.2.2'));
    await reaches('192.0.2.9', 999);
    const received = async () => {
      const [link] = JSON.parse(await world.run('ip', ['-j', '-s', 'link', 'show', 'dev', 'vx999']));
      return link.stats64.rx.packets;
    };
    await expect.poll(received).toBe(1);
    expect(await tables()).toBe(before);
  });

  test('are missed when somebody takes the rule away, and nothing of it stays when no tunnel is left', async () => {
    await world.run('nft', ['delete', 'table', 'ip', world.names.table()]);
    const drift = async () => (await world.network.observe()).find(({ id }) => id === tunnel(100).id)?.drift.join();
    expect(await drift()).toContain('firewall');
    await world.network.ensureBridge(tunnel(100, '192.0.2.2'));
    expect(await drift()).toBe('');
    expect(await reaches('192.0.2.9', 100)).toBe(false);
    await world.network.ensureBridge(tunnel(100));
    await world.network.removeBridge(tunnel(200).id);
    expect(await tables()).not.toContain(`table ip ${world.names.table()}`);
    expect(await tables()).toContain('table inet somebody');
  });
});
