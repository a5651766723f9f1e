/** Interfaces of a guest that runs: plugged in and unplugged without switching it off. */
import type { Clock } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import type { DomainRef, Procedures } from '../rpc/procedures.ts';
import type { Plug, PluggedInterface } from './interfaces.ts';
import { busOf, interfaceXml, isPlug, readInterfaces, unplugXml } from './interfaces.ts';
import { parseXml } from './xml-tree.ts';

/** The guest is asked so often to let go of an interface: one that still boots does not hear it. */
const ASKED = 4;
/** Libvirt itself waits five seconds for the guest each time; when it refuses at once, this passes before the next. */
const ASK_AGAIN_MS = 1_000;

/** Which of the domain's ports its QEMU has now. */
export async function pluggedIn(libvirt: Procedures, domain: DomainRef, wanted: readonly Plug[]): Promise<Plug[]> {
  const found = readInterfaces(parseXml(await libvirt.runningXml(domain)));
  return wanted.filter((plug) => found.some((one) => isPlug(one, plug)));
}

/**
 * Unplugs what is not wanted, then plugs in what is missing. Compares with what the running QEMU has, so that one that
 * was interrupted goes on where it was. `InterfaceInUse` (retry) when the guest does not let go of an interface.
 */
export async function plugInterfaces(
  libvirt: Procedures,
  clock: Clock,
  domain: DomainRef,
  wanted: readonly Plug[],
): Promise<void> {
  const present = async () => readInterfaces(parseXml(await libvirt.runningXml(domain)));
  for (const extra of (await present()).filter((one) => !wanted.some((plug) => isPlug(one, plug))))
    await unplug(libvirt, clock, domain, extra);
  for (const [index, plug] of wanted.entries()) {
    const there = await present();
    if (there.some((one) => isPlug(one, plug))) continue;
    // Where another that stays still has its place, libvirt finds a free one, until the next start.
    const isFree = there.every(({ bus }) => bus !== busOf(index));
    await libvirt.attachDevice(domain, interfaceXml(plug, isFree ? busOf(index) : undefined));
  }
}

async function unplug(libvirt: Procedures, clock: Clock, domain: DomainRef, one: PluggedInterface): Promise<void> {
  let refused: unknown;
  for (let asked = 0; asked < ASKED; asked++) {
    if (refused !== undefined) await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve));
    // Libvirt also refuses while the guest is still about to let go: what counts is whether it has it.
    refused = await libvirt.detachDevice(domain, unplugXml(one)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const found = readInterfaces(parseXml(await libvirt.runningXml(domain)));
    if (!found.some(({ macAddress, tap }) => macAddress === one.macAddress && tap === one.tap)) return;
  }
  const why = refused instanceof Error ? `: ${refused.message}` : '';
  throw retryable(
    'InterfaceInUse',
    `the guest ${domain.name} was asked ${ASKED} times and has not let go of its interface ${one.macAddress}${why}. A guest that boots or hangs cannot; one without PCI hot-plug has to be switched off`,
    refused,
  );
}
