/**
 * What a domain's XML, as libvirt tells it, says otherwise than the XML by which it was defined. libvirt adds much of its own
 * and writes values in its own way: values are compared by what they mean, and what libvirt adds is in the list below.
 */
import type { XmlElement } from './xml-tree.ts';

/**
 * `definition`: what the next start takes. `running`: what QEMU has, of which size and interfaces are looked at elsewhere,
 * since they come and go while the guest runs.
 */
export type View = 'definition' | 'running';

/** As sentences, e.g. `on_reboot is destroy, and restart is declared`. Disks are not looked at: disk-sources.ts does. */
export function differences(declared: XmlElement, found: XmlElement, view: View): string[] {
  const said: string[] = [];
  compare(declared, found, declared.name, view, said);
  return said;
}

/** What is not looked at here at all, by its path. */
const ELSEWHERE: Record<View, ReadonlySet<string>> = {
  definition: new Set(['domain/metadata', 'domain/devices/disk']),
  running: new Set([
    ...['domain/metadata', 'domain/devices/disk', 'domain/memory', 'domain/vcpu', 'domain/devices/interface'],
    // A host that got another one, or KVM, meanwhile: that guests have it from their next start on is no drift.
    ...['domain@type', 'domain/cpu@mode', 'domain/features/tcg', 'domain/devices/emulator'],
  ]),
};

/**
 * What libvirt adds by itself, 8.0 to 11.0, and what people note on a domain without changing it. A path with `@` is an
 * attribute; `*` stands for any device.
 */
const ADDED = new Set([
  ...['domain@id', 'domain/currentMemory', 'domain/resource', 'domain/seclabel', 'domain/title', 'domain/description'],
  ...['domain/vcpu@placement', 'domain/cpu@check', 'domain/cpu@migratable'],
  ...['domain/devices/*/alias', 'domain/devices/*/address', 'domain/devices/input', 'domain/devices/audio'],
  ...['domain/devices/controller@index', 'domain/devices/controller/model', 'domain/devices/controller/target'],
  ...['domain/devices/serial@tty', 'domain/devices/serial/source', 'domain/devices/serial/target/model'],
  ...['domain/devices/console@tty', 'domain/devices/console/source', 'domain/devices/console/log'],
  'domain/devices/memballoon/stats',
]);

/** Devices that libvirt adds of one model or type only. */
const ADDED_OF: Record<string, (device: XmlElement) => boolean> = {
  // A controller for CD-ROMs comes with q35; root ports come with devices that somebody plugged in, and are said with them.
  'domain/devices/controller': ({ attributes: { type, model } }) => type === 'sata' || model === 'pcie-root-port',
  // q35 has it anyhow; libvirt says so since 9.1.
  'domain/devices/watchdog': ({ attributes: { model } }) => model === 'itco',
};

function compare(declared: XmlElement, found: XmlElement, path: string, view: View, said: string[]): void {
  const [mine, its] = [meaning(declared), meaning(found)];
  const name = path.slice(path.indexOf('/') + 1);
  if (mine.text !== its.text) said.push(`${name} is ${shown(its.text)}, and ${shown(mine.text)} is declared`);
  for (const [key, value] of Object.entries(mine.attributes)) {
    if (ELSEWHERE[view].has(`${path}@${key}`) || sameNumber(value, its.attributes[key])) continue;
    said.push(`${name} ${key} is ${shown(its.attributes[key] ?? '')}, and ${shown(value)} is declared`);
  }
  for (const [key, value] of Object.entries(its.attributes))
    if (!(key in mine.attributes) && !isAdded(`${path}@${key}`) && !ELSEWHERE[view].has(`${path}@${key}`))
      said.push(`${name} has ${key} ${shown(value)}, which is not declared`);
  const unmatched = new Map(found.children.map((child, index) => [keyOf(child, found.children, index), child]));
  for (const [index, child] of declared.children.entries()) {
    const below = `${path}/${child.name}`;
    const key = keyOf(child, declared.children, index);
    const its = unmatched.get(key);
    unmatched.delete(key);
    if (ELSEWHERE[view].has(below)) continue;
    if (its !== undefined) compare(child, its, below, view, said);
    else said.push(`${nameOf(child, below)} is not there, and is declared`);
  }
  for (const child of unmatched.values()) {
    const below = `${path}/${child.name}`;
    if (!ELSEWHERE[view].has(below) && !isAdded(below) && !ADDED_OF[below]?.(child))
      said.push(`it has ${nameOf(child, below)}, which is not declared`);
  }
}

function isAdded(path: string): boolean {
  return ADDED.has(path) || ADDED.has(path.replace(/^domain\/devices\/[^/@]+/, 'domain/devices/*'));
}

/** What tells a child from its brothers of the same name: what it is known by, or its place among them. */
function keyOf(child: XmlElement, all: readonly XmlElement[], index: number): string {
  const { name, attributes } = child;
  if (name === 'controller') return `controller ${attributes.type} ${attributes.index ?? '0'}`;
  const mac = name === 'interface' && child.children.find((part) => part.name === 'mac')?.attributes.address;
  if (mac) return `interface ${mac.toLowerCase()}`;
  return `${name} ${all.slice(0, index).filter((brother) => brother.name === name).length}`;
}

function nameOf(child: XmlElement, path: string): string {
  const mac = child.children.find((part) => part.name === 'mac')?.attributes.address;
  const { type, model, index } = child.attributes;
  const which = [type ?? model, index, mac].filter((word) => word !== undefined).join(' ');
  return `${path.replace(/^domain\/(devices\/)?/, '')}${which ? ` (${shown(which)})` : ''}`;
}

const KIB_PER: Record<string, number> = { b: 1 / 1024, KiB: 1, k: 1, MiB: 1024, M: 1024, GiB: 1024 ** 2, G: 1024 ** 2 };

/** With amounts of memory in KiB. */
function meaning({ attributes, text }: XmlElement): { attributes: Record<string, string>; text: string } {
  const { unit, ...others } = attributes;
  if (unit === undefined || KIB_PER[unit] === undefined) return { attributes, text };
  return { attributes: others, text: `${Number(text) * KIB_PER[unit]} KiB` };
}

/** libvirt writes numbers of PCI in hex with as many digits as it likes. */
function sameNumber(a: string, b: string | undefined): boolean {
  if (a === b) return true;
  return b !== undefined && /^0x/.test(a) && /^0x/.test(b) && Number(a) === Number(b);
}

const LONGEST = 100;

function shown(text: string): string {
  if (text === '') return 'nothing';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
