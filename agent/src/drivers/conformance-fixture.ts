/** What the conformance suite of drivers needs of its caller, the resources that it makes, and how it waits. */
import type { HostResource, ResourceType } from '@plumb/schemas';
import { PlumbError, resourceKey, resourceOrder } from '@plumb/schemas';
import type { Driver, DriverChange } from './driver.ts';

export interface DriverFixture {
  driver: Driver;
  /** An image that exists, larger than 16 bytes, and its SHA-256. */
  imageUrl: string;
  imageSha256: string;
  imageFormat: 'qcow2' | 'raw';
  /** A URL that begins to answer and breaks off in the middle. */
  brokenImageUrl: string;
  /** A URL that begins to answer and then says nothing more. */
  stalledImageUrl: string;
  /** Tells one run of a running domain from another: its process, or a count of its starts. */
  runOf(id: string): Promise<number>;
  /** Ends the domain's process from outside, as a crash does. */
  killDomain(id: string): Promise<void>;
  /** Takes the port off its bridge behind the driver's back. */
  breakPort(id: string): Promise<void>;
  /** Defines a domain of this name that does not bear Plumb's mark. */
  makeForeignDomain(name: string): Promise<{ exists(): Promise<boolean>; remove(): Promise<void> }>;
  close(): Promise<void>;
}

/** Types whose resources are told apart by tests; those of others come with them. */
export type CoreType = 'image' | 'bridge' | 'subnet' | 'disk' | 'seed' | 'port' | 'domain';

/** What a type that stands in a folder of its own brings along to be tried, for a port of the instance. */
export interface OwnSamples {
  all: HostResource[];
  /** Each with a changed spec. */
  changes: HostResource[];
}

const besides = import.meta.glob<{ samples(port: HostResource<'port'>, uid: string): OwnSamples }>(
  '../*/testing/samples.ts',
  { eager: true },
);

/** One resource of each kind, all of one instance on one network. The domain is declared `Stopped`. */
export type Samples = { [K in CoreType]: HostResource<K> } & {
  /** In the order of making. */
  all: HostResource[];
  /** The domain, declared `Running`. */
  running: HostResource<'domain'>;
  /** Each kind with a changed spec, in the order of making. */
  changes: HostResource[];
  /** A second port, which the domain is not declared with. */
  second: HostResource<'port'>;
  /** The running domain, declared with both ports. */
  wider: HostResource<'domain'>;
};

/** Resources whose ids, names and addresses differ for each `number` (1 to 250). */
export function samples(fixture: DriverFixture, number: number): Samples {
  const uid = (prefix: string) => `${prefix}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  const instance = uid('1a57a9ce');
  const l2 = uid('00000012');
  const l3 = uid('00000013');
  const net = `10.213.${number}`;
  const macOf = (last: string) => `52:54:00:00:${number.toString(16).padStart(2, '0')}:${last}`;
  const image: HostResource<'image'> = {
    kind: 'image',
    id: fixture.imageSha256,
    owner: uid('00000014'),
    spec: {
      url: fixture.imageUrl,
      sha256: fixture.imageSha256,
      format: fixture.imageFormat,
      maxBytes: 20 * 1024 ** 3,
    },
  };
  const bridge: HostResource<'bridge'> = {
    kind: 'bridge',
    id: l2,
    owner: l2,
    spec: { name: `lab${number}`, type: 'vxlan', vni: 7000 + number, mtuBytes: 1450, peers: [] },
  };
  const subnet: HostResource<'subnet'> = {
    kind: 'subnet',
    id: l3,
    owner: l3,
    spec: {
      name: `default/lab${number}`,
      bridge: l2,
      cidr: `${net}.0/24`,
      gateway: `${net}.1`,
      serverAddress: `${net}.1`,
      serverMac: macOf('01'),
      mtuBytes: 1450,
      domain: 'lab.internal',
      dnsServers: [],
    },
  };
  const disk: HostResource<'disk'> = {
    kind: 'disk',
    id: `${instance}.root`,
    owner: instance,
    spec: { image: image.id, imageFormat: fixture.imageFormat },
  };
  const seed: HostResource<'seed'> = {
    kind: 'seed',
    id: `${instance}.seed`,
    owner: instance,
    spec: { instanceId: instance, hostname: `web-${number}`, sshKeys: ['ssh-ed25519 AAAA somebody'] },
  };
  const port: HostResource<'port'> = {
    kind: 'port',
    id: `${instance}.eth0`,
    owner: instance,
    spec: {
      bridge: l2,
      subnet: l3,
      macAddress: macOf('11'),
      addresses: [`${net}.11`],
      hostname: `web-${number}`,
      mtuBytes: 1450,
    },
  };
  const domain: HostResource<'domain'> = {
    kind: 'domain',
    id: instance,
    owner: instance,
    spec: {
      name: `default.web-${number}`,
      cpus: 1,
      memoryMiB: 96,
      disks: [disk.id],
      seed: seed.id,
      ports: [{ id: port.id, macAddress: port.spec.macAddress, mtuBytes: 1450 }],
      power: 'Stopped',
    },
  };
  const second: HostResource<'port'> = {
    ...port,
    id: `${instance}.eth1`,
    spec: { ...port.spec, macAddress: macOf('21'), addresses: [`${net}.21`] },
  };
  const running: HostResource<'domain'> = { ...domain, spec: { ...domain.spec, power: 'Running' } };
  const wider: HostResource<'domain'> = {
    ...running,
    spec: {
      ...running.spec,
      ports: [port, second].map(({ id, spec }) => ({ id, macAddress: spec.macAddress, mtuBytes: 1450 })),
    },
  };
  const others = Object.values(besides).map((module) => module.samples(port, uid('5ec00000')));
  const all: HostResource[] = [image, bridge, subnet, disk, seed, port, domain, ...others.flatMap((own) => own.all)];
  return {
    ...{ image, bridge, subnet, disk, seed, port, domain },
    all: all.sort(asMade),
    ...{ running, second, wider },
    changes: [
      { ...image, spec: { ...image.spec, maxBytes: 10 * 1024 ** 3 } },
      { ...bridge, spec: { ...bridge.spec, peers: ['192.0.2.7', '192.0.2.8'] } },
      { ...subnet, spec: { ...subnet.spec, domain: 'other.internal', dnsServers: ['192.0.2.53'] } },
      { ...disk, spec: { ...disk.spec, sizeBytes: 2 * 1024 ** 3 } },
      { ...seed, spec: { ...seed.spec, hostname: 'renamed', userData: '#cloud-config\n{}\n' } },
      { ...port, spec: { ...port.spec, addresses: [`${net}.12`], hostname: 'renamed' } },
      { ...domain, spec: { ...domain.spec, cpus: 2, memoryMiB: 128 } },
      ...others.flatMap((own) => own.changes),
    ].sort(asMade),
  };
}

function asMade(a: HostResource, b: HostResource): number {
  return resourceOrder(a.kind) - resourceOrder(b.kind);
}

const PATIENCE_MS = 30_000;

/** What a driver told, in order. */
export class ChangeLog {
  #changes: DriverChange[] = [];
  #waiting = new Set<(change: DriverChange) => void>();
  readonly end: () => void;

  constructor(driver: Driver) {
    this.end = driver.onChange((change) => {
      this.#changes.push(change);
      for (const wait of this.#waiting) wait(change);
    });
  }

  clear(): void {
    this.#changes = [];
  }

  /** The last that was told of the resource. */
  last(resource: { kind: ResourceType; id: string }): DriverChange | undefined {
    return this.#changes.findLast(
      (change) =>
        changed(change, resource) ||
        (change.type === 'removed' && change.kind === resource.kind && change.id === resource.id),
    );
  }

  /** The next change that fits; rejects after 30 seconds. */
  next(fits: (change: DriverChange) => boolean): Promise<DriverChange> {
    return new Promise((resolve, reject) => {
      const wait = (change: DriverChange) => {
        if (!fits(change)) return;
        this.#waiting.delete(wait);
        clearTimeout(timer);
        resolve(change);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(wait);
        reject(new Error(`the driver did not tell the change within ${PATIENCE_MS / 1000} s`));
      }, PATIENCE_MS);
      this.#waiting.add(wait);
    });
  }
}

/** Whether the change is of this resource, which is there. */
export function changed(
  change: DriverChange,
  resource: { kind: ResourceType; id: string },
): change is Extract<DriverChange, { type: 'changed' }> {
  return change.type === 'changed' && resourceKey(change.resource) === resourceKey(resource);
}

/** The PlumbError that the promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<PlumbError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown;
    throw thrown;
  }
  throw new Error('it succeeded, where a failure was expected');
}
