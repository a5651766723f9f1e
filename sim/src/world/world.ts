/** A cloud in one process: machines, a network, a disk, a control plane that dies and comes back. Made by one seed. */
import type { FlowRecord } from '@plumb/reconciler/flow/record.ts';
import { readText } from '@plumb/reconciler/flow/record-text.ts';
import { keys } from '@plumb/reconciler/store/keys.ts';
import type { Batch } from '@plumb/reconciler/store/store.ts';
import type { HostResource } from '@plumb/schemas';
import { Dice } from '../core/dice.ts';
import { SimLoop } from '../core/loop.ts';
import { SimProcess, type Skew } from '../core/process.ts';
import { Trace } from '../core/trace.ts';
import { type Answer, ControlProcess } from './control-process.ts';
import { type Fate, type Fates, type Point, peace } from './fates.ts';
import { Machine } from './machine.ts';
import { type Listening, Network } from './network.ts';
import { ProcessStore, StoreDisk } from './store-disk.ts';
import type { Wire } from './wire.ts';

export interface WorldOptions {
  seed: string;
  hosts: number;
  cpus?: number;
  memoryMiB?: number;
  /** Zone in which hosts declare themselves. */
  zone?: string;
  /** Share of the control plane's lives that take their time to load while they serve already. */
  slowStarts?: number;
  /** Lines of the trace that are kept for people. */
  keepLines?: number;
  wire?: Wire;
}

export interface Counts {
  controlCrashes: number;
  agentCrashes: number;
  reboots: number;
  cuts: number;
  failures: number;
}

const START = Date.parse('2026-01-01T00:00:00Z');

export class World {
  readonly loop = new SimLoop(START);
  readonly disk = new StoreDisk();
  readonly machines = new Map<string, Machine>();
  readonly network: Network;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly counts: Counts = { controlCrashes: 0, agentCrashes: 0, reboots: 0, cuts: 0, failures: 0 };
  /** What must never happen and did: found while it ran. */
  readonly violations: string[] = [];
  readonly logs: string[] = [];
  fates: Fates = peace;
  control: ControlProcess | undefined;
  readonly skew: Skew = { ms: 0 };
  /** Told of every effect on a host. */
  onEffect: (host: string, verb: 'ensure' | 'remove', resource: Pick<HostResource, 'kind' | 'id' | 'owner'>) => void =
    () => {};
  /** Whether the store was put back to an earlier time. */
  restored = false;
  /** Owners whose removal a person has confirmed although a host has not: their ports may outlive what they held. */
  readonly abandoned = new Set<string>();
  /** Whether a person lets hosts back in that were deleted. */
  readmits = true;
  /** Whether what was killed comes back by itself. */
  restarts = true;
  readonly #joinSecret: string;
  readonly #slowStarts: number;
  #listening: Listening | undefined;
  #lives = 0;
  readonly #onRejection = (reason: unknown) => {
    this.violations.push(`a promise was rejected and nobody saw it: ${(reason as Error)?.stack ?? reason}`);
  };

  constructor(options: WorldOptions) {
    this.loop.install();
    process.on('unhandledRejection', this.#onRejection);
    this.dice = new Dice(options.seed);
    this.trace = new Trace(options.keepLines ?? 0);
    this.#slowStarts = options.slowStarts ?? 0;
    this.#joinSecret = this.dice.fork('join').hex(32);
    const trace = (line: string) => this.note(line);
    const fate = (point: Point) => this.#suffer(point);
    this.network = new Network({
      ...{ loop: this.loop, trace, fate, dice: this.dice.fork('network'), wire: options.wire },
      listening: () => this.#listening,
      onRefused: (host, reason) => {
        if (reason === 'HostRemoved' && this.readmits) this.loop.after(500, () => this.#readmit(host));
      },
    });
    for (let index = 0; index < options.hosts; index++) {
      const name = `host-${index + 1}`;
      this.machines.set(
        name,
        new Machine({
          ...{ name, index, trace, fate, loop: this.loop, network: this.network, joinSecret: this.#joinSecret },
          cpus: options.cpus ?? 4,
          memoryMiB: options.memoryMiB ?? 8192,
          zone: options.zone ?? '',
          dice: this.dice.fork(name),
          log: (line) => this.#log(line),
          flowOf: (owner) => this.#flowOf(owner),
          onEffect: (host, verb, resource) => this.onEffect(host, verb, resource),
        }),
      );
    }
    this.startControl();
    for (const machine of this.machines.values()) machine.start();
  }

  note(line: string): void {
    this.trace.add(this.loop.now, line);
  }

  machine(name: string): Machine {
    return this.machines.get(name)!;
  }

  /** Lets time pass; ends at once when something happened that never may. */
  async run(ms: number, stop: () => boolean = () => false): Promise<boolean> {
    return this.loop.run(ms, () => this.violations.length > 0 || stop());
  }

  startControl(): void {
    if (this.control?.process.alive) return;
    const process = new SimProcess(this.loop, this.dice.fork(`control ${++this.#lives}`), this.skew);
    const latency = process.dice.fork('disk');
    this.note(`control plane ${this.#lives} starts`);
    this.control = new ControlProcess({
      process,
      joinSecret: this.#joinSecret,
      isSlow: process.dice.fork('start').chance(this.#slowStarts),
      store: new ProcessStore({
        disk: this.disk,
        process,
        latency: () => (latency.chance(0.02) ? latency.between(50, 600) : latency.between(1, 6) / 2),
        fate: (when, batch) => this.#commitFate(when, batch),
      }),
      log: (line) => this.#log(line),
      onFatal: (why) => {
        this.#log(`fatal ${why}`);
        this.crashControl();
      },
      onListening: (handlers) => {
        if (process.alive) this.#listening = { process, handlers };
      },
    });
  }

  crashControl(restartMs = this.dice.between(20, 1_500)): void {
    if (!this.control?.process.alive) return;
    this.counts.controlCrashes++;
    this.note('control plane dies');
    this.#listening = undefined;
    this.control.process.kill();
    this.loop.after(restartMs, () => this.restarts && this.startControl());
  }

  crashAgent(host: string, restartMs = this.dice.between(60, 2_000)): void {
    const machine = this.machine(host);
    if (!machine.agent?.alive) return;
    this.counts.agentCrashes++;
    this.note(`agent of ${host} dies`);
    machine.kill();
    this.loop.after(restartMs, () => this.restarts && machine.start());
  }

  rebootHost(host: string, restartMs = this.dice.between(500, 4_000)): void {
    const machine = this.machine(host);
    this.counts.reboots++;
    this.note(`${host} loses power`);
    machine.reboot();
    this.loop.after(restartMs, () => this.restarts && machine.start());
  }

  /** Everything that is broken is mended; what was killed comes back soon. */
  mend(): void {
    this.fates = peace;
    this.restarts = true;
    for (const host of [...this.network.partitioned]) this.network.heal(host);
    for (const machine of this.machines.values()) {
      machine.slowness = 1;
      if (!machine.agent?.alive) this.loop.after(100, () => machine.start());
    }
    if (!this.control?.process.alive) this.loop.after(100, () => this.startControl());
  }

  /** Waits two seconds for an API that serves. */
  async untilServed(): Promise<void> {
    const until = this.loop.now + 2_000;
    while (this.loop.now < until && !this.control?.serves) await this.run(50);
  }

  /**
   * Asks the API as a client on the network does. Undefined: no answer, so nobody knows whether it was done. Rejected
   * connections are tried again for two seconds.
   */
  async ask(method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    await this.untilServed();
    const { control } = this;
    if (!control?.serves || !control.process.alive) return { code: 0, body: 'connection refused' };
    let answer: Answer | undefined;
    control.answer(method, path, body).then(
      (given) => {
        answer = given;
      },
      (error: Error) => this.violations.push(`the API threw: ${error.stack}`),
    );
    await this.run(30_000, () => answer !== undefined || !control.process.alive);
    this.note(`ask ${method} ${path}: ${answer?.code}`);
    return answer;
  }

  close(): void {
    this.restarts = false;
    this.control?.process.kill();
    for (const machine of this.machines.values()) machine.kill();
    this.loop.uninstall();
    process.off('unhandledRejection', this.#onRejection);
  }

  #readmit(host: string): void {
    const { control } = this;
    if (!control?.process.alive) return;
    this.note(`${host} is readmitted`);
    // It may have been let in meanwhile, or is asked for anew.
    control.control?.fleet.readmit(host).catch(() => {});
  }

  #log(line: string): void {
    if (this.logs.length < 5_000) this.logs.push(`${((this.loop.now - START) / 1000).toFixed(3)} ${line}`);
  }

  #suffer(point: Point): Fate | undefined {
    const fate = this.fates.at(point);
    if (fate === undefined) return undefined;
    this.note(`fate: ${fate}`);
    if (fate === 'crash control' || fate === 'crash both') this.crashControl();
    if (point.at !== 'commit') {
      if (fate === 'crash agent' || fate === 'crash both') this.crashAgent(point.host);
      if (fate === 'reboot host') this.rebootHost(point.host);
    }
    if (fate === 'cut') this.counts.cuts++;
    if (fate === 'fail' || fate === 'fail terminal') this.counts.failures++;
    return fate;
  }

  #commitFate(when: 'before' | 'after', batch: Batch): Fate | undefined {
    if (when === 'after') this.note(`commit ${batch.ops.map((op) => `${op.type} ${op.key}`).join(', ')}`);
    if (batch.ops.every((op) => op.key.startsWith('/control/'))) return undefined;
    return this.#suffer({ at: 'commit', when, what: this.#whatOf(batch) });
  }

  /** What the batch means, in words that are the same in every run. */
  #whatOf(batch: Batch): string {
    const words = new Set<string>();
    for (const op of batch.ops) {
      const [, root, kind] = op.key.split('/');
      if (root === 'flows')
        words.add(op.type === 'put' ? `flow ${flowWords(op.value)}` : `the end of flow ${this.#flowOf(kind!)}`);
      else if (root === 'objects') words.add(op.type === 'put' ? `${kind}` : `${kind} gone`);
      else if (root === 'credentials') words.add('credential');
      else if (root === 'changesets') words.add('change set');
    }
    return [...words].sort().join(', ');
  }

  #flowOf(owner: string): string {
    const entry = this.disk.entries.get(keys.flow(owner));
    if (entry) return flowWords(entry.value);
    return `no flow`;
  }
}

function flowWords(value: string): string {
  try {
    const { purpose, direction } = readText(value) as Pick<FlowRecord, 'purpose' | 'direction'>;
    return `${purpose} ${direction}`;
  } catch {
    return 'that cannot be read';
  }
}
