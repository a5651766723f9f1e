/** What the driver is made of, put together in one place: every part gets what it needs and knows no other. */
import { join } from 'node:path';
import type { Clock } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import { Fetcher } from '../../fetch/fetcher.ts';
import { run, runInNetwork } from '../../host/command.ts';
import type { QemuUser } from '../../host/qemu-user.ts';
import { withOwnGroup } from '../../host/qemu-user.ts';
import { FETCH_USER, findUser } from '../../host/users.ts';
import { BridgedPackets } from '../../network/bridged-packets.ts';
import { driverKey } from '../../network/names.ts';
import { Network } from '../../network/network.ts';
import { Disks } from '../../storage/disks.ts';
import { Images } from '../../storage/images.ts';
import { inspector } from '../../storage/qemu-img.ts';
import { Seeds } from '../../storage/seeds.ts';
import { prepareDataDir } from './data-dir.ts';
import type { Machine } from './domain/accelerator.ts';
import { chooseMachine, readCpuInfo } from './domain/accelerator.ts';
import { cutOffPorts } from './domain/cut-off.ts';
import { Domains } from './domain/domains.ts';
import { DomainTrace } from './domain/trace.ts';
import type { LibvirtDriverOptions } from './options.ts';
import { qemuUser } from './qemu-user.ts';
import type { LinkListener } from './rpc/link.ts';
import { LibvirtLink } from './rpc/link.ts';
import { findSocket } from './socket.ts';

export interface Parts {
  key: string;
  clock: Clock;
  machine: Machine;
  /** As whom QEMU runs. */
  user: QemuUser;
  link: LibvirtLink;
  fetcher: Fetcher;
  images: Images;
  disks: Disks;
  seeds: Seeds;
  network: Network;
  bridged: BridgedPackets;
  trace: DomainTrace;
  domains: Domains;
}

const SHUTDOWN_GRACE_MS = 30_000;

/** Opens all parts. Rejects with `LibvirtUnavailable` (retry) or `HostUnsupported` (terminal). */
export async function openParts(options: LibvirtDriverOptions, listener: LinkListener): Promise<Parts> {
  const { host, tunnelAddress, networkNamespace, log } = options;
  const dataDir = await prepareDataDir(options.dataDir);
  const clock = options.clock ?? realAmbient().clock;
  const key = driverKey(dataDir, host);
  const link = await LibvirtLink.open({ socket: options.socket ?? (await findSocket()), clock, log, listener });
  try {
    const capabilities = await link.procedures.capabilities();
    const machine = chooseMachine(capabilities, await readCpuInfo());
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
    const domains = new Domains({
      libvirt: link.procedures,
      key,
      trace,
      clock,
      cutOff: (ports) =>
        cutOffPorts(ports, {
          libvirt: link.procedures,
          clock,
          withoutCarrier: (ids) => network.cutOff(ids),
          ownerOf: (id) => network.ownerOf(id),
        }),
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
    return { key, clock, machine, user, link, fetcher, images, disks, seeds, network, bridged, trace, domains };
  } catch (thrown) {
    link.close();
    throw thrown;
  }
}
