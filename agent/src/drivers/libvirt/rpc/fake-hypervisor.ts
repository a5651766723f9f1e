/** A libvirt in memory that answers calls, for tests of what is made of its domains. It knows nothing of Plumb. */
import { elementAt, parseXml } from '../domain/xml-tree.ts';
import type { DomainRef } from './procedures.ts';
import { Procedures } from './procedures.ts';
import { LibvirtError, libvirtError } from './remote-error.ts';
import { XdrReader, XdrWriter } from './xdr.ts';

export interface FakeDomain {
  name: string;
  uuid: string;
  /** QEMU's number; -1 when it is off. */
  id: number;
  /** The definition of its next start; undefined when it is transient. */
  definition: string | undefined;
  /** What its QEMU has; undefined when it is off. */
  running: string | undefined;
  state: number;
  reason: number;
  /** What it had when its memory was saved: its next start goes on from there. */
  saved: string | undefined;
  /** What is wrong with its disks, by target: 1 failed, 2 no space. */
  diskErrors: Record<string, number>;
}

const running = { state: 1, reason: 1 };
export const off = { shutdown: 1, destroyed: 2, crashed: 3, saved: 5 } as const;

type Answer = (domain: FakeDomain, args: XdrReader) => XdrWriter | undefined;

export class FakeHypervisor {
  readonly domains: FakeDomain[] = [];
  /** Calls that change something: `define default.web`. */
  readonly changes: string[] = [];
  /** What a call about a domain meets: an error, or `silence`, which is no answer ever. */
  fault: (procedure: string, domain: string) => LibvirtError | 'silence' | undefined = () => undefined;
  /** Whether guests power off when they are asked to. */
  obedient = true;
  /** Told of each lifecycle event. */
  onEvent: (uuid: string) => void = () => {};
  readonly procedures = new Procedures((procedure, args) => this.#call(procedure.name, args));
  #lastId = 0;

  domain(name: string): FakeDomain {
    const found = this.domains.find((domain) => domain.name === name);
    if (found === undefined) throw new Error(`there is no domain ${name}`);
    return found;
  }

  /** Makes a domain behind everybody's back: `definition`, `running` or both. */
  add(xml: { definition?: string; running?: string }): FakeDomain {
    const root = parseXml((xml.definition ?? xml.running)!);
    const domain: FakeDomain = {
      name: elementAt(root, 'name')?.text ?? '',
      uuid: elementAt(root, 'uuid')?.text ?? '',
      id: xml.running === undefined ? -1 : ++this.#lastId,
      definition: xml.definition,
      running: xml.running,
      ...(xml.running === undefined ? { state: 5, reason: 0 } : running),
      saved: undefined,
      diskErrors: {},
    };
    this.domains.push(domain);
    return domain;
  }

  /** The domain ends. */
  end(domain: FakeDomain, reason: number): void {
    Object.assign(domain, { id: -1, running: undefined, state: 5, reason });
    if (domain.definition === undefined) this.domains.splice(this.domains.indexOf(domain), 1);
    this.onEvent(domain.uuid);
  }

  /** Somebody saves its memory, which ends it. */
  save(domain: FakeDomain): void {
    domain.saved = domain.running;
    this.end(domain, off.saved);
  }

  async #call(name: string, bytes: Buffer = Buffer.alloc(0)): Promise<XdrReader> {
    const args = new XdrReader(bytes);
    const answer = this.#answer(name, args);
    if (answer === 'silence') return new Promise<never>(() => {});
    return new XdrReader(answer.finish());
  }

  #answer(name: string, args: XdrReader): XdrWriter | 'silence' {
    if (name === 'listAllDomains') {
      const list = new XdrWriter().uint(this.domains.length);
      for (const domain of this.domains) writeRef(list, domain);
      return list.uint(this.domains.length);
    }
    if (name === 'domainLookupByName') {
      const wanted = args.string();
      return this.#found(name, (domain) => domain.name === wanted);
    }
    if (name === 'domainLookupByUUID') {
      const wanted = args.fixed(16).toString('hex');
      return this.#found(name, (domain) => domain.uuid.replaceAll('-', '') === wanted);
    }
    if (name === 'domainDefineXMLFlags') return this.#define(args.string());
    const ref = { name: args.string(), uuid: args.fixed(16).toString('hex'), id: args.int() };
    const domain = this.domains.find(({ uuid }) => uuid.replaceAll('-', '') === ref.uuid);
    const fault = this.fault(name, ref.name);
    if (fault === 'silence') return fault;
    if (fault !== undefined) throw fault;
    if (domain === undefined) throw new LibvirtError(libvirtError.noDomain, 'Domain not found', name);
    const act = this.#answers[name];
    if (act === undefined) throw new Error(`the fake hypervisor does not know ${name}`);
    return act(domain, args) ?? new XdrWriter();
  }

  #found(procedure: string, fits: (domain: FakeDomain) => boolean): XdrWriter {
    const domain = this.domains.find(fits);
    if (domain === undefined) throw new LibvirtError(libvirtError.noDomain, 'Domain not found', procedure);
    return writeRef(new XdrWriter(), domain);
  }

  #define(xml: string): XdrWriter {
    const name = elementAt(parseXml(xml), 'name')?.text;
    const uuid = elementAt(parseXml(xml), 'uuid')?.text;
    this.changes.push(`define ${name}`);
    const known = this.domains.find((domain) => domain.uuid === uuid);
    if (known) known.definition = xml;
    return writeRef(new XdrWriter(), known ?? this.add({ definition: xml }));
  }

  /** Its QEMU holds the guest. */
  hold(domain: FakeDomain, reason: number, diskErrors: Record<string, number> = {}): void {
    Object.assign(domain, { state: 3, reason, diskErrors });
    this.onEvent(domain.uuid);
  }

  readonly #answers: Record<string, Answer> = {
    domainGetDiskErrors: ({ diskErrors }) => {
      const writer = new XdrWriter().uint(Object.keys(diskErrors).length);
      for (const [disk, error] of Object.entries(diskErrors)) writer.string(disk).int(error);
      return writer.int(Object.keys(diskErrors).length);
    },
    domainSetMetadata: (domain, args) => {
      this.changes.push(`note ${domain.name}`);
      args.int();
      const [element = '', prefix, uri] = [args.optionalString(), args.optionalString(), args.optionalString()];
      const ours = element
        .replace('<thing', `<${prefix}:thing xmlns:${prefix}="${uri}"`)
        .replace('</thing>', `</${prefix}:thing>`);
      domain.definition = domain.definition?.replace(/<(\w+:)?thing[\s\S]*thing>/, ours);
      return undefined;
    },
    domainSetVcpusFlags: (domain, args) => {
      const cpus = args.uint();
      this.changes.push(`cpus ${domain.name} ${cpus}`);
      domain.running = domain.running?.replace(/<vcpu current="\d+"/, `<vcpu current="${cpus}"`);
      return undefined;
    },
    domainGetXMLDesc: ({ definition, running: has }, args) => {
      const wantsDefinition = (args.uint() & 2) !== 0;
      return new XdrWriter().string((wantsDefinition ? (definition ?? has) : (has ?? definition))!);
    },
    domainHasManagedSaveImage: ({ saved }) => new XdrWriter().int(saved === undefined ? 0 : 1),
    domainManagedSaveRemove: (domain) => {
      this.changes.push(`forget memory ${domain.name}`);
      domain.saved = undefined;
      return undefined;
    },
    domainIsPersistent: ({ definition }) => new XdrWriter().int(definition === undefined ? 0 : 1),
    domainGetState: ({ state, reason }) => new XdrWriter().int(state).int(reason),
    domainGetInfo: ({ state, running: has, definition }) => {
      const root = parseXml((has ?? definition)!);
      const vcpu = elementAt(root, 'vcpu');
      const memory = elementAt(root, 'memory');
      const kiB = Number(memory?.text) * (memory?.attributes.unit === 'MiB' ? 1024 : 1);
      const cpus = Number(vcpu?.attributes.current ?? vcpu?.text);
      return new XdrWriter().int(state).uhyper(BigInt(kiB)).uhyper(BigInt(kiB)).int(cpus).uhyper(0n);
    },
    domainCreateWithFlags: (domain) => {
      this.changes.push(`start ${domain.name}`);
      Object.assign(domain, {
        ...running,
        id: ++this.#lastId,
        running: domain.saved ?? domain.definition,
        saved: undefined,
      });
      this.onEvent(domain.uuid);
      return writeRef(new XdrWriter(), domain);
    },
    domainShutdownFlags: (domain) => {
      this.changes.push(`shutdown ${domain.name}`);
      if (this.obedient) this.end(domain, off.shutdown);
      return undefined;
    },
    domainDestroyFlags: (domain) => {
      this.changes.push(`destroy ${domain.name}`);
      if (domain.running === undefined)
        throw new LibvirtError(libvirtError.operationInvalid, 'domain is not running', 'domainDestroyFlags');
      this.end(domain, off.destroyed);
      return undefined;
    },
    domainUndefineFlags: (domain) => {
      this.changes.push(`undefine ${domain.name}`);
      domain.definition = undefined;
      if (domain.running === undefined) this.domains.splice(this.domains.indexOf(domain), 1);
      return undefined;
    },
    domainResume: (domain) => {
      this.changes.push(`resume ${domain.name}`);
      Object.assign(domain, { state: 1, reason: 5 });
      this.onEvent(domain.uuid);
      return undefined;
    },
  };
}

function writeRef(writer: XdrWriter, { name, uuid, id }: DomainRef): XdrWriter {
  return writer
    .string(name)
    .fixed(Buffer.from(uuid.replaceAll('-', ''), 'hex'))
    .int(id);
}
