/**
 * The messages of agent.proto as plain data. Both ends turn them into the types of the domain at once: nothing outside
 * `agent/src/session` and `reconciler/src/fleet` sees them.
 */

/** Which message it is stands in `body`; undefined when it came from a newer peer and is not known here. */
export type AgentMessage = { host: string } & (
  | { body: 'attach'; attach: Attach }
  | { body: 'snapshot'; snapshot: Snapshot }
  | { body: 'changes'; changes: Changes }
  | { body: 'result'; result: CommandResult }
  | { body: 'heartbeat'; heartbeat: { sequence: number } }
  | { body: 'detach'; detach: Record<never, never> }
  | { body: 'report'; report: HostReport }
  | { body: 'progress'; progress: CommandProgress }
  | { body?: undefined }
);

/** A message that was not decoded, because it is beyond a bound. It came; it crosses no wire. */
export interface Broken {
  host: string;
  body: 'broken';
  /** What is wrong, as the end of a sentence. */
  problem: string;
}

export interface AgentFrame {
  messages: AgentMessage[];
}

export type ServerMessage = { host: string } & (
  | { body: 'attached'; attached: Attached }
  | { body: 'refused'; refused: Refused }
  | { body: 'command'; command: Command }
  | { body: 'cancel'; cancel: Cancel }
  | { body?: undefined }
);

export interface ServerFrame {
  messages: ServerMessage[];
}

export interface JoinRequest {
  token: string;
  host: string;
  registerZone: string;
  credentialSha256: string;
}

export interface Attach {
  credential: string;
  facts: WireHostFacts | null;
  highestTerm: number;
  runningCommands: string[];
  registerZone: string;
}

export interface WireHostFacts {
  driver: string;
  agentVersion: string;
  cpus: number;
  memoryMib: number;
  tunnelAddress: string;
}

export interface Attached {
  session: string;
  term: number;
  liveDigest?: string;
}

export interface Refused {
  reason: string;
  message: string;
  terminal: boolean;
  retryAfterMs?: number;
}

export interface Snapshot {
  resources: WireLiveResource[];
  more: boolean;
  unchanged?: boolean;
}

export interface Changes {
  changed: WireLiveResource[];
  removed: { kind: string; id: string }[];
}

export interface HostReport {
  troubles: HostTrouble[];
}

/** What is wrong with a host as a whole. `blocking`: no guest can be made or started there while it lasts. */
export interface HostTrouble {
  reason: string;
  message: string;
  blocking: boolean;
}

/** `spec` is JSON text. */
export interface WireResource {
  kind: string;
  id: string;
  owner: string;
  spec: string;
}

export interface WireLiveResource {
  resource: WireResource | null;
  drift: string[];
  domain?: WireDomainFacts | null;
}

/** Empty and zero: there is nothing to say. */
export interface WireDomainFacts {
  state: string;
  reason: string;
  maxCpus: number;
  oldSeed: boolean;
  atRisk: string;
  edited: string;
  paused: string;
}

/** The numbers of the enum `Verb`. */
export const VERB = { ensure: 1, remove: 2 } as const;

export interface WireStep {
  id: string;
  verb: number;
  resource: WireResource | null;
}

export interface Command {
  id: string;
  owner: string;
  session: string;
  term: number;
  fence: number;
  steps: WireStep[];
}

export interface Cancel {
  command: string;
}

export interface CommandProgress {
  command: string;
  bytes: number;
  /** 0: not known. */
  ofBytes: number;
}

export interface CommandResult {
  command: string;
  steps: StepResult[];
  refused?: Refused | null;
}

export interface StepResult {
  step: string;
  ok: boolean;
  reason: string;
  message: string;
  terminal: boolean;
}
