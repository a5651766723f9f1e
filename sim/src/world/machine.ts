/** A hypervisor host: what lives on it outlives its agent, which starts and dies on it. */
import type { Attention, Driver, DriverChange, DriverFacts } from '@plumb/agent/drivers/driver.ts';
import { SimulatedHost } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { Identity } from '@plumb/agent/identity/identity.ts';
import { Connection } from '@plumb/agent/session/connection.ts';
import { HostSession } from '@plumb/agent/session/host-session.ts';
import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import { resourceKey, retryable, terminal } from '@plumb/schemas';
import type { PrivateFiles } from '@plumb/schemas/files/private-file.ts';
import type { Dice } from '../core/dice.ts';
import type { SimLoop } from '../core/loop.ts';
import { SimProcess, type Skew } from '../core/process.ts';
import type { Fate, Point } from './fates.ts';
import type { Network } from './network.ts';

export interface MachineOptions {
  name: string;
  index: number;
  cpus: number;
  memoryMiB: number;
  zone: string;
  loop: SimLoop;
  dice: Dice;
  network: Network;
  /** The secret with which hosts join. */
  joinSecret: string;
  trace(line: string): void;
  log(line: string): void;
  fate(point: Point): Fate | undefined;
  /** What the flow is that works for the owner, in words. */
  flowOf(owner: string): string;
  /** Told of every effect of a step, before the agent knows of it. */
  onEffect(host: string, verb: 'ensure' | 'remove', resource: Pick<HostResource, 'kind' | 'id' | 'owner'>): void;
}

export class Machine {
  readonly name: string;
  readonly options: MachineOptions;
  /** The truth. */
  readonly host: SimulatedHost;
  readonly skew: Skew = { ms: 0 };
  /** How many times longer everything takes. */
  slowness = 1;
  agent: SimProcess | undefined;
  /** What is being made at this moment, by resourceKey. */
  making: string | undefined;
  /** What its agent keeps, by path: a host that lies changes it. */
  readonly files = new Map<string, string>();
  #lives = 0;

  constructor(options: MachineOptions) {
    this.options = options;
    this.name = options.name;
    const { loop, dice, cpus, memoryMiB } = options;
    this.host = new SimulatedHost({
      cpus,
      memoryMiB,
      clock: { now: () => loop.now, after: (ms, run) => loop.after(ms, run) },
      random: dice.fork('host'),
    });
  }

  /** Everything on the host, by resourceKey. */
  resources(): ReadonlyMap<string, LiveResource> {
    return this.host.resources;
  }

  start(): void {
    if (this.agent?.alive) return;
    const { loop, dice, network, name, index, zone, joinSecret, log } = this.options;
    const process = new SimProcess(loop, dice.fork(`life ${++this.#lives}`), this.skew);
    this.agent = process;
    const { clock, random, ids } = process.ambient;
    const address = `192.0.2.${index + 1}`;
    void Identity.load('', name, ids, this.#disk(process)).then((identity) => {
      if (!process.alive) return;
      const session = new HostSession({
        ...{ identity, clock, random, log, agentVersion: '1', registerZone: zone },
        driver: new ProcessDriver(this, process),
        tunnelAddress: address,
      });
      new Connection({
        ...{ clock, random, log, registerZone: zone, server: 'https://control', hosts: [session] },
        trust: {
          authority: async () => 'authority',
          pins: async () => ['pin'],
          verified: async () => {},
          joinSecret: async () => joinSecret,
        },
        dial: () => ({
          connect: (metadata) => network.connect(name, process, address, metadata).call,
          join: (request) => network.join(name, process, request),
          close() {},
        }),
      });
    });
  }

  kill(): void {
    this.agent?.kill();
  }

  /** Power goes and comes back: no guest runs, everything on disks is there. */
  reboot(): void {
    this.kill();
    for (const resource of [...this.host.resources.values()])
      if (resource.kind === 'domain' && resource.domain?.state === 'running') this.host.kill(resource.id, 'unknown');
  }

  /** Milliseconds of work. */
  workMs(least: number, most: number): number {
    return this.options.dice.between(least, most) * this.slowness;
  }

  #disk(process: SimProcess): PrivateFiles {
    return {
      read: async (path) => this.files.get(path),
      write: async (path, text) => {
        const unsynced = () => {
          // Renamed, but not synced: after a crash either may be there.
          if (!written && this.options.dice.chance(0.5)) this.files.set(path, text);
        };
        let written = false;
        process.onEnd(unsynced);
        await process.pause(this.workMs(0, 3));
        written = true;
        this.files.set(path, text);
      },
    };
  }
}

/** The driver as one life of the agent uses it. */
class ProcessDriver implements Driver {
  readonly name = 'simulated';
  readonly #machine: Machine;
  readonly #process: SimProcess;

  constructor(machine: Machine, process: SimProcess) {
    this.#machine = machine;
    this.#process = process;
  }

  facts(): Promise<DriverFacts> {
    return this.#machine.host.facts();
  }

  troubles() {
    return this.#machine.host.troubles();
  }

  async observe(): Promise<LiveResource[]> {
    await this.#process.pause(this.#machine.workMs(0, 5));
    return this.#machine.host.observe();
  }

  ensure(resource: HostResource, attention?: Attention): Promise<void> {
    return this.#step('ensure', resource, () => this.#machine.host.ensure(resource, attention));
  }

  remove(resource: { kind: ResourceType; id: string; owner: string }): Promise<void> {
    return this.#step('remove', resource, () => this.#machine.host.remove(resource));
  }

  onChange(listener: (change: DriverChange) => void): () => void {
    const end = this.#machine.host.onChange((change) => {
      if (this.#process.alive) listener(change);
    });
    this.#process.onEnd(end);
    return end;
  }

  async close(): Promise<void> {}

  async #step(
    verb: 'ensure' | 'remove',
    resource: { kind: ResourceType; id: string; owner: string },
    run: () => Promise<void>,
  ): Promise<void> {
    const machine = this.#machine;
    const { name, options } = machine;
    const { trace, fate, flowOf, onEffect } = options;
    const point = { at: 'step', host: name, verb, kind: resource.kind, flow: flowOf(resource.owner) } as const;
    const key = resourceKey(resource);
    await this.#workOrLeave(verb, resource, run);
    const first = fate({ ...point, when: 'before' });
    if (!this.#process.alive) return this.#never();
    if (first === 'fail') throw retryable('SimulatedFailure', `${key}: told to fail before it took effect`);
    if (first === 'fail terminal') throw terminal('SimulatedFailure', `${key}: told to fail for good`);
    onEffect(name, verb, resource);
    trace(`host ${name}: ${verb} ${key}`);
    await run();
    if (first === 'repeat') await run();
    const second = fate({ ...point, when: 'after' });
    if (!this.#process.alive) return this.#never();
    if (second === 'fail') throw retryable('SimulatedFailure', `${key}: told to fail after it took effect`);
    if (second === 'repeat') await run();
    await this.#process.pause(machine.workMs(0, 4));
  }

  /**
   * The time that the step takes. When the agent dies meanwhile, what it had begun is left: a disk half made, or a
   * request that the hypervisor still carries out.
   */
  async #workOrLeave(
    verb: 'ensure' | 'remove',
    resource: { kind: ResourceType; id: string; owner: string },
    run: () => Promise<void>,
  ): Promise<void> {
    const machine = this.#machine;
    const { loop, dice, trace, onEffect } = machine.options;
    let working = true;
    if (verb === 'ensure') machine.making = resourceKey(resource);
    this.#process.onEnd(() => {
      if (!working) return;
      if (verb === 'ensure' && resource.kind === 'disk' && dice.chance(0.5))
        machine.host.leaveHalfMade(resource as HostResource<'disk'>);
      else if (resource.kind === 'domain' && dice.chance(0.5))
        loop.after(dice.between(0, 40), () => {
          trace(`host ${machine.name}: ${verb} ${resourceKey(resource)} was under way`);
          onEffect(machine.name, verb, resource);
          run().catch(() => {});
        });
    });
    await this.#process.pause(machine.workMs(1, 8));
    working = false;
    machine.making = undefined;
  }

  #never(): Promise<never> {
    return new Promise(() => {});
  }
}
