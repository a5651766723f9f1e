/** What the driver is made of, put together in one place: every part gets what it needs and knows no other. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, HostResource } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import { Fetcher } from '../../fetch/fetcher.ts';
import { type Run, run, runInNetwork } from '../../host/command.ts';
import type { QemuUser } from '../../host/qemu-user.ts';
import { withOwnGroup } from '../../host/qemu-user.ts';
import { spaceLeft } from '../../host/space-left.ts';
import { BridgedPackets } from '../../network/bridged-packets.ts';
import { driverKey } from '../../network/names.ts';
import { Network } from '../../network/network.ts';
import { Disks } from '../../storage/disks.ts';
import { Images } from '../../storage/images.ts';
import { inspector } from '../../storage/qemu-img.ts';
import { Seeds } from '../../storage/seeds.ts';
import { prepareDataDir } from './data-dir.ts';
import { chooseMachine, readCpuInfo } from './domain/accelerator.ts';
import { cutOffPorts } from './domain/cut-off.ts';
import type { DomainParts } from './domain/definition.ts';
import { Domains } from './domain/domains.ts';
import { DomainTrace } from './domain/trace.ts';
import type { Ledger } from './ledger.ts';
import type { LibvirtDriverOptions } from './options.ts';
import { qemuUser } from './qemu-user.ts';
import type { LinkListener } from './rpc/link.ts';
import { LibvirtLink } from './rpc/link.ts';
import { findSocket } from './socket.ts';

export interface Parts {
  key: string;
  /** Its real path. */
  dataDir: string;
  clock: Clock;
  /** As whom QEMU runs. */
  user: QemuUser;
  link: LibvirtLink;
  fetcher: Fetcher;
  images: Images;
  disks: Disks;
  seeds: Seeds;
  network: Network;
  /** Runs programs in the network namespace in which bridges and taps are. */
  hostRun: Run;
  bridged: BridgedPackets;
  trace: DomainTrace;
  /** Where the parts of a domain lie; undefined when a disk of it is not known. */
  partsOf: (resource: HostResource<'domain'>) => DomainParts | undefined;
  domains: Domains;
}

const SHUTDOWN_GRACE_MS = 30_000;

/** Opens all parts. Rejects with `LibvirtUnavailable` (retry) or `HostUnsupported` (terminal). */
export async function openParts(options: LibvirtDriverOptions, listener: LinkListener, ledger: Ledger): Promise<Parts> {
  const { host, tunnelAddress, networkNamespace, log } = options;
  const dataDir = await prepareDataDir(options.dataDir);
  const clock = options.clock ?? realAmbient().clock;
  const key = driverKey(dataDir, host);
  const link = await LibvirtLink.open({ socket: options.socket ?? (await findSocket()), clock, log, listener });
  try {
    const capabilities = await link.procedures.capabilities();
    const cpuInfo = await readCpuInfo();
    let machine = chooseMachine(capabilities, cpuInfo);
    const user = await withOwnGroup(qemuUser(capabilities));
    const trace = new DomainTrace(dataDir);
    const hostRun = networkNamespace === undefined ? run : runInNetwork(networkNamespace);
    const network = new Network({
      dataDir,
      runDir: join('/run/plumb', key),
      key,
      tunnelAddress,
      run: hostRun,
      clock,
    });
    const partsOf = ({ id, spec }: HostResource<'domain'>): DomainParts | undefined => {
      const known = spec.disks.map(
        (disk) => ledger.get({ kind: 'disk', id: disk }) as HostResource<'disk'> | undefined,
      );
      if (!known.every((disk) => disk !== undefined)) return undefined;
      const seed = spec.seed && (ledger.get({ kind: 'seed', id: spec.seed }) as HostResource<'seed'> | undefined);
      return {
        ...{ key, accelerator: machine.accelerator, emulator: machine.emulator },
        disks: known.map((disk) => disks.chain(disk)),
        ...(spec.seed === undefined ? {} : { seedPath: seeds.path(spec.seed) }),
        ...(seed ? { seedContent: seed.spec.instanceId } : {}),
        taps: spec.ports.map((port) => network.names.tap(port.id)),
        consoleLog: trace.consoleLog(id),
      };
    };
    const domains = new Domains({
      libvirt: link.procedures,
      ...{ key, trace, clock, log, partsOf },
      cutOff: (ports) =>
        cutOffPorts(ports, {
          libvirt: link.procedures,
          clock,
          withoutCarrier: (ids) => network.cutOff(ids),
          ownerOf: (id) => network.ownerOf(id),
        }),
      isThere: (path) =>
        stat(path).then(
          () => true,
          () => false,
        ),
      hasSpace: async () => !(await spaceLeft(dataDir, options.limits.leastFreeMiB)).isFull,
      machine: async () => {
        machine = chooseMachine(await link.procedures.capabilities(), cpuInfo);
        return machine;
      },
      shutdownGraceMs: options.shutdownGraceMs ?? SHUTDOWN_GRACE_MS,
    });
    const { sources, limits } = options;
    const fetchUser = () => findUser(FETCH_USER);
    const rules = { ...sources.init, folders: sources.folders, dataDir };
    const fetcher = new Fetcher({ rules, user: fetchUser, clock, log });
    const images = new Images({
      ...{ dataDir, clock, limits, openSource: fetcher.open },
      user,
      inspect: inspector(run, fetchUser),
    });
    const disks = new Disks({
      dataDir,
      run,
      images,
      user,
      growLive: (disk, path, bytes) => domains.growDisk(disk.owner, path, bytes),
    });
    const seeds = new Seeds(dataDir, run, user);
    const bridged = new BridgedPackets(hostRun, clock, key);
    await Promise.all([images.open(), disks.open(), seeds.open(), network.open()]);
    return {
      ...{ key, clock, user, dataDir, link, partsOf, fetcher },
      ...{ images, disks, seeds, network, hostRun, bridged, trace, domains },
    };
  } catch (thrown) {
    link.close();
    throw thrown;
  }
}
