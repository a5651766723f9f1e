import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../rpc/manual-clock.ts';
import { Procedures } from '../rpc/procedures.ts';
import { LibvirtError, libvirtError } from '../rpc/remote-error.ts';
import { XdrReader, XdrWriter } from '../rpc/xdr.ts';
import type { Plug, PluggedInterface } from './interfaces.ts';
import { interfaceXml, readInterfaces } from './interfaces.ts';
import { pluggedIn, plugInterfaces } from './plugging.ts';
import { parseXml } from './xml-tree.ts';

const domain = { name: 'default.web', uuid: '1a57a9ce-0000-4000-8000-000000000001', id: 1 };
const plug = (name: string): Plug => ({
  port: { id: `u.${name}`, macAddress: `52:54:00:00:00:1${name.at(-1)}`, mtuBytes: 1450 },
  tap: `pt${name}`,
});
const [eth0, eth1, eth2, eth3] = [plug('eth0'), plug('eth1'), plug('eth2'), plug('eth3')];
const mac = ({ port }: Plug) => port.macAddress;

/** A guest behind libvirt's calls: what it has, and how willingly it lets go of it. */
class Guest {
  readonly calls: string[] = [];
  interfaces: PluggedInterface[] = [];
  /** What becomes of a request to let go: done, not yet, or refused by libvirt, of which only the first is so. */
  answers: ('lets go' | 'keeps' | 'refused' | 'refused, yet lets go')[] = [];
  clock = new ManualClock();

  has(...plugs: Plug[]): void {
    this.interfaces = plugs.map(({ port, tap }, index) => ({ macAddress: port.macAddress, tap, bus: index + 1 }));
  }

  /** Goes through with it, whatever it waits for. */
  async plug(...wanted: Plug[]): Promise<void> {
    let done = false;
    const work = plugInterfaces(new Procedures(this.#answer), this.clock, domain, wanted);
    const ended = work.then(
      () => {},
      () => {},
    );
    void ended.then(() => {
      done = true;
    });
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(1_000);
    }
    return work;
  }

  pluggedIn(...wanted: Plug[]): Promise<Plug[]> {
    return pluggedIn(new Procedures(this.#answer), domain, wanted);
  }

  get xml(): string {
    const devices = this.interfaces.map(
      ({ macAddress, tap, bus }) =>
        `<interface type='ethernet'><mac address='${macAddress}'/><target dev='${tap}' managed='no'/>` +
        `<address type='pci' domain='0x0000' bus='0x${bus?.toString(16)}' slot='0x00' function='0x0'/></interface>`,
    );
    return `<domain><devices><disk/>${devices.join('')}</devices></domain>`;
  }

  readonly #answer = async ({ name }: { name: string }, args: Buffer = Buffer.alloc(0)): Promise<XdrReader> => {
    if (name === 'domainGetXMLDesc') return new XdrReader(new XdrWriter().string(this.xml).finish());
    const call = new XdrReader(args);
    expect([call.string(), call.fixed(16).toString('hex'), call.int()]).toEqual([
      domain.name,
      domain.uuid.replaceAll('-', ''),
      domain.id,
    ]);
    const [one] = readInterfaces(parseXml(`<domain><devices>${call.string()}</devices></domain>`)) as [
      PluggedInterface,
    ];
    expect(call.uint()).toBe(1); // Only what runs: the definition is replaced whole, afterwards.
    this.calls.push(`${name === 'domainAttachDeviceFlags' ? 'plug' : 'unplug'} ${one.macAddress} bus ${one.bus}`);
    if (name === 'domainAttachDeviceFlags') {
      const free = [1, 2, 3, 4, 5, 6, 7, 8].find((bus) => this.interfaces.every((other) => other.bus !== bus));
      expect(this.interfaces.map(({ bus }) => bus)).not.toContain(one.bus);
      this.interfaces.push({ ...one, bus: one.bus ?? free });
    } else this.#letGo(one);
    return new XdrReader(Buffer.alloc(0));
  };

  #letGo(one: PluggedInterface): void {
    const answer = this.answers.shift() ?? 'lets go';
    if (answer.endsWith('lets go'))
      this.interfaces = this.interfaces.filter(({ macAddress }) => macAddress !== one.macAddress);
    if (answer.startsWith('refused'))
      throw new LibvirtError(
        libvirtError.operationFailed,
        'already in the process of unplug',
        'domainDetachDeviceFlags',
      );
  }
}

describe('interfaces of a running guest', () => {
  let guest: Guest;
  beforeEach(() => {
    guest = new Guest();
  });

  test('are left alone when they are as wanted', async () => {
    guest.has(eth0, eth1);
    await guest.plug(eth0, eth1);
    expect(guest.calls).toEqual([]);
  });

  test('come where they will be after the next start', async () => {
    guest.has(eth0);
    await guest.plug(eth0, eth1, eth2);
    expect(guest.calls).toEqual([`plug ${mac(eth1)} bus 2`, `plug ${mac(eth2)} bus 3`]);
  });

  test('go before others come, and leave them their places', async () => {
    guest.has(eth0, eth1);
    await guest.plug(eth0, eth2);
    expect(guest.calls).toEqual([`unplug ${mac(eth1)} bus 2`, `plug ${mac(eth2)} bus 2`]);
  });

  test('come elsewhere while one that stays has their place', async () => {
    guest.has(eth0, eth1);
    await guest.plug(eth1, eth2, eth3);
    expect(guest.calls).toEqual([
      `unplug ${mac(eth0)} bus 1`,
      `plug ${mac(eth2)} bus undefined`,
      `plug ${mac(eth3)} bus 3`,
    ]);
    expect(await guest.pluggedIn(eth0, eth1, eth2, eth3)).toEqual([eth1, eth2, eth3]);
  });

  test('are told by address and tap together: one of the same address on another tap is another', async () => {
    guest.has(eth0);
    const renamed = { ...eth0, tap: 'ptlan' };
    expect(await guest.pluggedIn(renamed)).toEqual([]);
    await guest.plug(renamed);
    expect(guest.calls).toEqual([`unplug ${mac(eth0)} bus 1`, `plug ${mac(eth0)} bus 1`]);
  });

  test('are asked for again when the guest does not hear, and when libvirt refuses to ask', async () => {
    guest.has(eth0, eth1);
    guest.answers = ['keeps', 'refused', 'refused, yet lets go'];
    await guest.plug(eth0);
    expect(guest.calls).toEqual(Array(3).fill(`unplug ${mac(eth1)} bus 2`));
    expect(guest.interfaces.map(({ tap }) => tap)).toEqual([eth0.tap]);
  });

  test('that the guest does not let go of fail in a way that may pass, and nothing else is touched', async () => {
    guest.has(eth0, eth1);
    guest.answers = ['keeps', 'keeps', 'refused', 'refused'];
    await expect(guest.plug(eth0, eth2)).rejects.toMatchObject({
      reason: 'InterfaceInUse',
      retry: 'retry',
      message: expect.stringMatching(/default\.web.*4 times.*52:54:00:00:00:11.*in the process of unplug/),
    });
    expect(guest.calls).toEqual(Array(4).fill(`unplug ${mac(eth1)} bus 2`));
    await guest.plug(eth0, eth2);
    expect(guest.interfaces.map(({ tap }) => tap)).toEqual([eth0.tap, eth2.tap]);
  });

  test('are declared with every value a value', () => {
    const evil = { ...eth0, tap: `"'/><x a="` };
    const found = readInterfaces(parseXml(`<domain><devices>${interfaceXml(evil, 9)}</devices></domain>`));
    expect(found).toEqual([{ macAddress: mac(eth0), tap: evil.tap, bus: 9 }]);
  });
});
