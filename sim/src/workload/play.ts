/** Plays a list of actions in a world, mends everything, and looks whether all became as it must be. */
import type { PlumbObject } from '@plumb/schemas';
import { monitor } from '../oracle/monitor.ts';
import type { Answer } from '../world/control-process.ts';
import type { Fate, Point } from '../world/fates.ts';
import { type Counts, World } from '../world/world.ts';
import type { Action, Ask, KindName } from './actions.ts';
import { isDefaultAccount, keyOf } from './compare.ts';
import { Model } from './model.ts';
import { type Known, requestOf } from './requests.ts';
import { scan, settle } from './settle.ts';

export interface Scenario {
  seed: string;
  hosts: number;
  actions: readonly Action[];
  /** In the end everything is deleted, and nothing may be left. */
  teardown?: boolean;
}

export interface Outcome {
  /** What is wrong; empty when all is well. */
  wrong: string[];
  hash: string;
  counts: Counts;
  simulatedMs: number;
  events: number;
  /** Milliseconds after the end of all faults until everything was settled. */
  settledAfterMs: number;
  lines: string[];
  logs: string[];
}

export async function play(scenario: Scenario, keepLines = 0): Promise<Outcome> {
  const world = new World({ seed: scenario.seed, hosts: scenario.hosts, zone: 'home', slowStarts: 0.3, keepLines });
  const start = world.loop.now;
  let settledAfterMs = 0;
  let wrong: string[];
  try {
    monitor(world);
    const player = new Player(world);
    for (const action of scenario.actions) {
      await player.do(action);
      if (world.violations.length > 0) break;
    }
    await player.answers();
    ({ wrong, settledAfterMs } = await settle(world));
    wrong.push(...player.model.broken());
    const restored = scenario.actions.some((action) => action.do === 'restore');
    if (wrong.length === 0 && scenario.teardown && !restored) wrong = await tearDown(world, player);
  } catch (error) {
    wrong = [`the simulation threw: ${(error as Error).stack}`];
  } finally {
    world.close();
  }
  return {
    wrong: [...new Set([...world.violations, ...wrong])],
    hash: world.trace.hash,
    counts: world.counts,
    simulatedMs: world.loop.now - start,
    events: world.loop.events,
    settledAfterMs,
    lines: world.trace.lines,
    logs: world.logs,
  };
}

/** Deletes everything there is, in any order, and looks whether anything is left. */
async function tearDown(world: World, player: Player): Promise<string[]> {
  for (const machine of world.machines.values()) machine.options.zone = '';
  const objects = [...player.model.objects.values()];
  const remove = ({ kind, metadata }: PlumbObject) => player.do({ do: 'delete', kind: kind as KindName, ...metadata });
  for (const object of objects)
    if (object.kind !== 'Host' && object.kind !== 'Namespace' && !isDefaultAccount(object)) await remove(object);
  const { wrong } = await settle(world);
  for (const object of objects)
    if (object.kind === 'Namespace' && object.metadata.name !== 'default') await remove(object);
  await settle(world);
  const left: string[] = [];
  for (const key of world.disk.entries.keys())
    if (
      /^\/(objects\/(?!hosts|namespaces\/\/default|serviceaccounts\/default\/default|zones)|alloc\/(address|mac)|flows|changesets)/.test(
        key,
      )
    )
      left.push(`${key} is left`);
  // Also those whose record is gone by now: what is left by then is left for ever.
  const deleted = new Set(world.disk.batches.flatMap(({ ops }) => ops.map(({ key }) => key)));
  for (const machine of world.machines.values())
    for (const [key, resource] of machine.resources())
      if (deleted.has(`/deleted/${resource.owner}`)) left.push(`${key} is left on ${machine.name}`);
  return [...wrong, ...left].map((what) => `after everything was deleted: ${what}`);
}

/** Does actions in a world, and remembers what was promised. */
/** How often an object is read and replaced again when somebody else was faster. */
const ATTEMPTS = 5;

function versionOf(answer: Answer | undefined): string | undefined {
  return (answer?.body as Partial<PlumbObject> | undefined)?.metadata?.resourceVersion;
}

export class Player {
  readonly model: Model;
  readonly #world: World;
  readonly #open = new Map<string, Promise<void>>();
  #fates: { at: Point['at']; skip: number; left: number; fate: Fate; times: number }[] = [];

  /** `faulty`: whether the disk may refuse, as actions may tell it to. */
  constructor(world: World, faulty = true) {
    this.#world = world;
    this.model = new Model({
      disk: world.disk,
      hosts: new Set(world.machines.keys()),
      faulty,
      say: (what) => world.violations.push(what),
    });
    world.fates = { at: (point) => this.#fate(point) };
  }

  /** Nothing is hurt any more that actions have not asked for by themselves. */
  forgetFates(): void {
    this.#fates = [];
  }

  async do(action: Action): Promise<void> {
    const world = this.#world;
    switch (action.do) {
      case 'create':
      case 'change':
      case 'replace':
      case 'delete':
      case 'retry':
      case 'cascade':
      case 'flow':
        return this.#ask(action);
      case 'wait':
        await world.run(action.ms);
        return;
      case 'crash':
        if (action.who === 'control') world.crashControl(action.forMs);
        else world.crashAgent(action.who, action.forMs);
        return;
      case 'reboot':
        world.rebootHost(action.host);
        return;
      case 'cut':
        world.counts.cuts++;
        world.network.cut(action.host);
        return;
      case 'partition':
        world.note(`${action.host} is cut off`);
        world.network.partition(action.host);
        world.loop.after(action.forMs, () => world.network.heal(action.host));
        return;
      case 'slow':
        world.machine(action.host).slowness = action.times;
        return;
      case 'jump':
        world.note(`the clock of ${action.who} jumps by ${action.ms}`);
        (action.who === 'control' ? world.skew : world.machine(action.who).skew).ms += action.ms;
        return;
      case 'guest':
        this.#onHosts(action.name, (host, uid) => host.kill(uid, action.how));
        return;
      case 'drift':
        this.#onHosts(action.name, (host, uid) => {
          for (const resource of [...host.resources.values()])
            if (resource.kind === 'port' && resource.owner === uid) host.loseBridgePort(resource.id);
        });
        return;
      case 'scan':
        await scan(world, action.way);
        return;
      case 'restore':
        return this.#restore(action.share);
      case 'fate':
        this.#fates.push({ ...action, left: action.skip, times: action.times ?? 1 });
    }
  }

  /** Every request has its answer, or never will. */
  async answers(): Promise<void> {
    for (const key of [...this.#open.keys()]) await this.#answered(key);
  }

  /** What replaces an object reads it first, and again when somebody else was faster. */
  async #send(ask: Ask, known: Known): Promise<Answer | undefined> {
    const world = this.#world;
    for (let attempt = 1; ; attempt++) {
      const { path } = requestOf(ask, known);
      const reads = ask.do === 'replace' && !ask.stale;
      const version = reads ? versionOf(await world.ask('GET', path)) : undefined;
      const { method, body } = requestOf(ask, { ...known, version });
      const answer = await world.ask(method, path, body);
      if (!reads || answer?.code !== 409 || attempt === ATTEMPTS) return answer;
    }
  }

  async #ask(ask: Ask): Promise<void> {
    const world = this.#world;
    // Of one object one thing is asked at a time; what speaks of many waits for all.
    const key = ask.do === 'cascade' || ask.do === 'flow' ? undefined : keyOf(ask);
    if (key === undefined) await this.answers();
    else await this.#answered(key);
    const uid = ask.do === 'flow' ? this.model.uidOf({ kind: 'Instance', ...ask }) : '';
    if (ask.do === 'flow' && ask.what === 'abandon') world.abandoned.add(uid);
    await world.untilServed();
    const open = this.model.asked(ask);
    const done = this.#send(ask, { uid, reach: open.reach.size }).then((answer) => {
      this.model.answered(open, answer);
      if (key !== undefined) this.#open.delete(key);
    });
    if (!ask.nowait || key === undefined) return done;
    this.#open.set(key, done);
    await world.run(1);
  }

  async #answered(key: string): Promise<void> {
    const open = this.#open.get(key);
    if (open) await open;
  }

  #onHosts(
    name: string,
    run: (
      host: World['machines'] extends Map<string, infer M> ? (M extends { host: infer H } ? H : never) : never,
      uid: string,
    ) => void,
  ): void {
    const world = this.#world;
    const entry = world.disk.entries.get(keyOf({ kind: 'Instance', name }));
    if (!entry) return;
    const { uid } = JSON.parse(entry.value).metadata;
    for (const machine of world.machines.values()) if (machine.resources().has(`domain/${uid}`)) run(machine.host, uid);
  }

  /** Nothing runs while the disk is put back: what was under way before belongs to the time that is gone. */
  async #restore(share: number): Promise<void> {
    const world = this.#world;
    await this.answers();
    // A host that joined anew after the backup was made is let in by a person: that is not what is looked at here.
    if (
      world.disk.batches.some(({ ops }) => ops.some((op) => op.type === 'delete' && op.key.startsWith('/credentials/')))
    )
      return;
    const { fates } = world;
    world.fates = { at: () => undefined };
    world.restarts = false;
    world.crashControl();
    for (const machine of world.machines.values()) machine.slowness = 1;
    for (const host of world.machines.keys()) world.network.heal(host);
    await world.run(20_000);
    world.note('the store is put back');
    world.restored = true;
    world.disk.restore(share === 0 ? 0 : Math.max(this.#allKnown(), Math.floor(world.disk.batches.length * share)));
    this.model.reload();
    world.fates = fates;
    world.restarts = true;
    world.startControl();
    for (const machine of world.machines.values()) machine.start();
  }

  /** Batches until every host is known: a backup that knows nothing of a host cannot tell what it waits for. */
  #allKnown(): number {
    const { disk, machines } = this.#world;
    const unknown = new Set([...machines.keys()].map((name) => `/objects/hosts//${name}`));
    const at = disk.batches.findIndex(({ ops }) => {
      for (const op of ops) if (op.type === 'put' && op.value.includes('"driver"')) unknown.delete(op.key);
      return unknown.size === 0;
    });
    return at < 0 ? disk.batches.length : at + 1;
  }

  #fate(point: Point): Fate | undefined {
    for (const [index, fate] of this.#fates.entries()) {
      if (fate.at !== point.at) continue;
      if (fate.left-- > 0) continue;
      fate.left = fate.skip;
      if (--fate.times <= 0) this.#fates.splice(index, 1);
      return fate.fate;
    }
    return undefined;
  }
}
