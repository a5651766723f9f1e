import type { Clock } from '@plumb/schemas';
import type { AgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { SourceRules } from '@plumb/schemas/sources/source-rules.ts';

export interface LibvirtDriverOptions {
  /** Libvirt's socket; the system's own, if absent. */
  socket?: string;
  /** Everything that the driver keeps; made if it is not there. QEMU's user must be able to pass its parents. */
  dataDir: string;
  /** Address of this host to which the others send VXLAN. */
  tunnelAddress: string;
  /** Name of the host; with the data folder it tells this driver's resources from another's on the same machine. */
  host: string;
  log: (line: string) => void;
  /** Where images may come from. */
  sources: SourceRules;
  limits: AgentLimits;
  clock?: Clock;
  /** How long a guest may take to power off when it is asked to; 30,000 if absent. */
  shutdownGraceMs?: number;
  /** How often the whole host is looked at for what no event tells; 30,000 if absent. */
  observeEveryMs?: number;
  /** Path of the network namespace in which bridges and taps are; that of this process, if absent. */
  networkNamespace?: string;
}
