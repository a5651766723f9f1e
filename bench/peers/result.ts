import type { Surroundings } from '../src/machine.ts';

export type PeerName = 'plumb' | 'kubernetes' | 'ganeti';

/** Everything that one call of the benchmark measured. */
export interface PeerResults {
  measured: Surroundings;
  /** Of the peers' programs. */
  peerVersions: Record<string, string>;
  hosts: number;
  connections: number;
  /** In each of them every peer started anew, one after the other. */
  rounds: number;
  /** Of the pods that were sent to Kubernetes. */
  encoding: string;
  runs: RecordedRun[];
  /** What could not be measured, in the words of whoever gave up. */
  failures: { peer: PeerName; round: number; why: string }[];
}

export interface RecordedRun extends PeerRun {
  peer: PeerName;
  round: number;
  /** Cores that programs outside the benchmark used meanwhile, on average. */
  othersCores: number;
}

/** One repetition. Milliseconds, unless said otherwise; what a peer cannot tell is absent. */
export interface PeerRun {
  size: number;
  /** From the first request until the last was seen to run. */
  ready: number;
  /** From the first request until half were seen to run. */
  half?: number;
  /** From the first request until the last was answered. */
  answered?: number;
  /** Of all processes of the control plane and of the simulated hosts. */
  cpuMsPerCreate?: number;
  /** Written into the store. */
  recordsPerCreate?: number;
  /** Waits for the disk: fsync and fdatasync. */
  syncsPerCreate?: number;
  /** Resident, of all those processes, at the end of the burst. */
  memoryMiB?: number;
}
