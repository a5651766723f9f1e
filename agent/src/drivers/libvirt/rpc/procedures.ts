/** The libvirt calls that the driver makes, by their numbers in the remote protocol (version 1). */
import type { Procedure } from './connection.ts';
import type { XdrReader } from './xdr.ts';
import { XdrWriter } from './xdr.ts';

const procedure = (name: string, number: number): Procedure => ({ name, number });
const CONNECT_OPEN = procedure('open', 1);
const CONNECT_GET_CAPABILITIES = procedure('getCapabilities', 7);
const DOMAIN_GET_XML_DESC = procedure('domainGetXMLDesc', 14);
const DOMAIN_GET_INFO = procedure('domainGetInfo', 16);
const DOMAIN_LOOKUP_BY_NAME = procedure('domainLookupByName', 23);
const DOMAIN_LOOKUP_BY_UUID = procedure('domainLookupByUUID', 24);
const DOMAIN_RESUME = procedure('domainResume', 28);
const AUTH_LIST = procedure('authList', 66);
const AUTH_POLKIT = procedure('authPolkit', 70);
const DOMAIN_IS_PERSISTENT = procedure('domainIsPersistent', 151);
const DOMAIN_ATTACH_DEVICE_FLAGS = procedure('domainAttachDeviceFlags', 160);
const DOMAIN_DETACH_DEVICE_FLAGS = procedure('domainDetachDeviceFlags', 161);
const DOMAIN_HAS_MANAGED_SAVE_IMAGE = procedure('domainHasManagedSaveImage', 183);
const DOMAIN_MANAGED_SAVE_REMOVE = procedure('domainManagedSaveRemove', 184);
const DOMAIN_CREATE_WITH_FLAGS = procedure('domainCreateWithFlags', 196);
const DOMAIN_SET_VCPUS_FLAGS = procedure('domainSetVcpusFlags', 199);
const DOMAIN_GET_STATE = procedure('domainGetState', 212);
const DOMAIN_UNDEFINE_FLAGS = procedure('domainUndefineFlags', 231);
const DOMAIN_DESTROY_FLAGS = procedure('domainDestroyFlags', 234);
const DOMAIN_BLOCK_RESIZE = procedure('domainBlockResize', 251);
const DOMAIN_SHUTDOWN_FLAGS = procedure('domainShutdownFlags', 258);
const DOMAIN_GET_DISK_ERRORS = procedure('domainGetDiskErrors', 263);
const DOMAIN_SET_METADATA = procedure('domainSetMetadata', 264);
const DOMAIN_PM_WAKEUP = procedure('domainPMWakeup', 267);
const CONNECT_LIST_ALL_DOMAINS = procedure('listAllDomains', 273);
const DOMAIN_EVENT_REGISTER_ANY = procedure('domainEventRegisterAny', 316);
const DOMAIN_DEFINE_XML_FLAGS = procedure('domainDefineXMLFlags', 350);

/** The procedure number under which lifecycle events arrive. */
export const DOMAIN_EVENT_LIFECYCLE = 318;

const AUTH_POLKIT_TYPE = 2;
/**
 * Of what is heard: lifecycle, a device that went, a job on a disk that ended, a device that came, other metadata
 * (virDomainEventID). Each message begins with the registration that it answers and the domain that it is of.
 */
const EVENT_IDS = [0, 15, 16, 19, 23];
const EVENT_CRASHED = 8;
const CRASHED_PANICKED = 0;
const XML_INACTIVE = 2;
const METADATA_ELEMENT_TYPE = 2;
const AFFECT_CONFIG = 2;
const AFFECT_LIVE = 1;
const BLOCK_RESIZE_BYTES = 1;
const SHUTDOWN_ACPI = 1;
/** Managed save, snapshot metadata, NVRAM and checkpoint metadata go with the definition. */
const UNDEFINE_EVERYTHING = 1 | 2 | 4 | 16;

/** How libvirt calls a domain on the wire. */
export interface DomainRef {
  name: string;
  /** RFC 4122 text form, lower case. */
  uuid: string;
  /** QEMU's number while it runs, else -1. */
  id: number;
}

/** virDomainState and the reason that belongs to it. */
export interface DomainState {
  state: number;
  reason: number;
}

export interface DomainInfo {
  state: number;
  maxMemoryKiB: number;
  cpus: number;
}

/** More than a guest of ours has, and libvirt's own bound. */
const MOST_DISKS = 256;
const DISK_ERROR_NO_SPACE = 2;

type Call = (procedure: Procedure, args?: Buffer) => Promise<XdrReader>;

/** Makes a new connection usable: authentication as the socket asks for it, the hypervisor, lifecycle events. */
export async function greet(call: Call): Promise<void> {
  const types = await call(AUTH_LIST).then((reply) => reply.array(() => reply.int()));
  if (types.includes(AUTH_POLKIT_TYPE)) await call(AUTH_POLKIT);
  await call(CONNECT_OPEN, new XdrWriter().optionalString('qemu:///system').uint(0).finish());
  for (const id of EVENT_IDS) await call(DOMAIN_EVENT_REGISTER_ANY, new XdrWriter().int(id).uint(0).finish());
}

/** Something happened to a domain. What it is now is asked for anew, since events may overtake. */
export interface DomainEvent extends DomainRef {
  /** Its guest said that its kernel gave up: nothing but the event tells it. */
  panicked: boolean;
}

export function domainEvent(procedure: number, content: XdrReader): DomainEvent {
  content.int(); // Which registration it answers.
  const domain = readDomain(content);
  const panicked =
    procedure === DOMAIN_EVENT_LIFECYCLE && content.int() === EVENT_CRASHED && content.int() === CRASHED_PANICKED;
  return { ...domain, panicked };
}

export class Procedures {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** XML of what the machine can run. */
  async capabilities(): Promise<string> {
    return (await this.#call(CONNECT_GET_CAPABILITIES)).string();
  }

  async listAllDomains(): Promise<DomainRef[]> {
    const reply = await this.#call(CONNECT_LIST_ALL_DOMAINS, new XdrWriter().int(1).uint(0).finish());
    return reply.array(() => readDomain(reply));
  }

  /** LibvirtError `noDomain` when there is none. */
  async lookupByUuid(uuid: string): Promise<DomainRef> {
    return readDomain(await this.#call(DOMAIN_LOOKUP_BY_UUID, new XdrWriter().fixed(uuidBytes(uuid)).finish()));
  }

  /** LibvirtError `noDomain` when there is none. */
  async lookupByName(name: string): Promise<DomainRef> {
    return readDomain(await this.#call(DOMAIN_LOOKUP_BY_NAME, new XdrWriter().string(name).finish()));
  }

  /** Defines a persistent domain, or replaces the definition of the one with its uuid from its next start on. */
  async define(xml: string): Promise<DomainRef> {
    return readDomain(await this.#call(DOMAIN_DEFINE_XML_FLAGS, new XdrWriter().string(xml).uint(0).finish()));
  }

  async create(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_CREATE_WITH_FLAGS, writeDomain(domain).uint(0).finish());
  }

  /** Presses the power button; returns at once. */
  async shutdown(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_SHUTDOWN_FLAGS, writeDomain(domain).uint(SHUTDOWN_ACPI).finish());
  }

  /** Pulls the plug. */
  async destroy(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_DESTROY_FLAGS, writeDomain(domain).uint(0).finish());
  }

  async resume(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_RESUME, writeDomain(domain).finish());
  }

  /** Wakes a guest that put itself to sleep. */
  async wakeUp(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_PM_WAKEUP, writeDomain(domain).uint(0).finish());
  }

  async undefine(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_UNDEFINE_FLAGS, writeDomain(domain).uint(UNDEFINE_EVERYTHING).finish());
  }

  /** Whether libvirt keeps a memory of it that somebody saved, which its next start would go on from. */
  async hasSavedMemory(domain: DomainRef): Promise<boolean> {
    return (await this.#call(DOMAIN_HAS_MANAGED_SAVE_IMAGE, writeDomain(domain).uint(0).finish())).int() === 1;
  }

  async removeSavedMemory(domain: DomainRef): Promise<void> {
    await this.#call(DOMAIN_MANAGED_SAVE_REMOVE, writeDomain(domain).uint(0).finish());
  }

  async state(domain: DomainRef): Promise<DomainState> {
    const reply = await this.#call(DOMAIN_GET_STATE, writeDomain(domain).uint(0).finish());
    return { state: reply.int(), reason: reply.int() };
  }

  async info(domain: DomainRef): Promise<DomainInfo> {
    const reply = await this.#call(DOMAIN_GET_INFO, writeDomain(domain).finish());
    const state = reply.int();
    const maxMemoryKiB = Number(reply.uhyper());
    reply.uhyper(); // Memory in use.
    return { state, maxMemoryKiB, cpus: reply.int() };
  }

  /** What the domain's QEMU has now, where it runs; else its definition. */
  async runningXml(domain: DomainRef): Promise<string> {
    return (await this.#call(DOMAIN_GET_XML_DESC, writeDomain(domain).uint(0).finish())).string();
  }

  /** The definition that its next start takes; of a transient domain, which has none, that of what runs. */
  async definitionXml(domain: DomainRef): Promise<string> {
    return (await this.#call(DOMAIN_GET_XML_DESC, writeDomain(domain).uint(XML_INACTIVE).finish())).string();
  }

  /** False of one that libvirt forgets when it ends. */
  async isPersistent(domain: DomainRef): Promise<boolean> {
    return (await this.#call(DOMAIN_IS_PERSISTENT, writeDomain(domain).finish())).int() === 1;
  }

  /** Notes our element in the definition, and leaves all else of it as it is. */
  async setMetadata(domain: DomainRef, namespace: { prefix: string; uri: string }, element: string): Promise<void> {
    const args = writeDomain(domain).int(METADATA_ELEMENT_TYPE).optionalString(element);
    args.optionalString(namespace.prefix).optionalString(namespace.uri).uint(AFFECT_CONFIG);
    await this.#call(DOMAIN_SET_METADATA, args.finish());
  }

  /** What is wrong with the disks of a running domain, by libvirt's name of each: `full`, or `failed` in another way. */
  async diskErrors(domain: DomainRef): Promise<Map<string, 'full' | 'failed'>> {
    const args = writeDomain(domain).uint(MOST_DISKS).uint(0).finish();
    const reply = await this.#call(DOMAIN_GET_DISK_ERRORS, args);
    const errors = reply.array(() => ({ disk: reply.string(), error: reply.int() }));
    return new Map(errors.map(({ disk, error }) => [disk, error === DISK_ERROR_NO_SPACE ? 'full' : 'failed']));
  }

  /** Plugs a device, declared as in a definition, into a running domain; its definition is left as it is. */
  async attachDevice(domain: DomainRef, xml: string): Promise<void> {
    await this.#call(DOMAIN_ATTACH_DEVICE_FLAGS, writeDomain(domain).string(xml).uint(AFFECT_LIVE).finish());
  }

  /**
   * Asks a running guest to let go of a device. Libvirt waits a few seconds for it; that this succeeds does not mean that
   * the guest did. The definition is left as it is.
   */
  async detachDevice(domain: DomainRef, xml: string): Promise<void> {
    await this.#call(DOMAIN_DETACH_DEVICE_FLAGS, writeDomain(domain).string(xml).uint(AFFECT_LIVE).finish());
  }

  /** Plugs processors into a running domain until it has so many; its definition is left as it is. */
  async setProcessors(domain: DomainRef, cpus: number): Promise<void> {
    await this.#call(DOMAIN_SET_VCPUS_FLAGS, writeDomain(domain).uint(cpus).uint(AFFECT_LIVE).finish());
  }

  /** Grows a disk that a running domain holds; `disk` is its path or target name. */
  async blockResize(domain: DomainRef, disk: string, bytes: number): Promise<void> {
    const args = writeDomain(domain).string(disk).uhyper(BigInt(bytes)).uint(BLOCK_RESIZE_BYTES).finish();
    await this.#call(DOMAIN_BLOCK_RESIZE, args);
  }
}

function readDomain(reply: XdrReader): DomainRef {
  return { name: reply.string(), uuid: uuidText(reply.fixed(16)), id: reply.int() };
}

function writeDomain(domain: DomainRef): XdrWriter {
  return new XdrWriter().string(domain.name).fixed(uuidBytes(domain.uuid)).int(domain.id);
}

function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
