/**
 * What the API promises, simple on purpose: which answers a request may have, and that every change of a declaration
 * which reaches the disk was asked for by somebody, is what was asked for, and stays until somebody asks for another.
 *
 * It follows the disk commit by commit, and asks nothing of the product.
 */
import type { ChangeSetRecord } from '@plumb/reconciler/controllers/change-set/record.ts';
import type { FlowRecord } from '@plumb/reconciler/flow/record.ts';
import { readText } from '@plumb/reconciler/flow/record-text.ts';
import { referenceKeys } from '@plumb/reconciler/runtime/references.ts';
import type { Batch } from '@plumb/reconciler/store/store.ts';
import type { Instance, PlumbObject } from '@plumb/schemas';
import { kindByName } from '@plumb/schemas';
import type { Answer } from '../world/control-process.ts';
import type { StoreDisk } from '../world/store-disk.ts';
import type { Ask, Named } from './actions.ts';
import { ChangeSets } from './change-sets.ts';
import {
  accountKey,
  changesWhatIsFixed,
  covers,
  declared,
  isDefaultAccount,
  keyOf,
  merged,
  namespaceKey,
} from './compare.ts';

/** A request that has no answer yet. */
export interface Open {
  ask: Ask;
  /** Codes with which it may be answered: those of every moment since it was sent. */
  codes: Set<number>;
  /** Revisions at which it has changed something. */
  wrote: number[];
  /** What a cascade reached when it was asked. */
  reach: ReadonlySet<string>;
  /** uids of the objects that it reached at every moment since, and at any. */
  always: Set<string>;
  ever: Set<string>;
}

export interface ModelOptions {
  disk: StoreDisk;
  /** Hosts whose agents declare them. */
  hosts: ReadonlySet<string>;
  /** Whether the disk may refuse. */
  faulty: boolean;
  /** Told what is wrong. */
  say(what: string): void;
}

export class Model {
  readonly #options: ModelOptions;
  readonly #open = new Set<Open>();
  readonly changeSets: ChangeSets;
  /** Everything that there is, as it lies on the disk. */
  objects = new Map<string, PlumbObject>();
  /** Told of every answer: what was asked, of which kind, and the code. */
  onAnswer: (what: string) => void = () => {};

  constructor(options: ModelOptions) {
    this.#options = options;
    this.changeSets = new ChangeSets(options.say);
    options.disk.onApply = (batch, revision) => this.#follow(batch, revision);
    this.reload();
  }

  /** The disk was put back to an earlier time: what it holds is what there is. */
  reload(): void {
    const records: [string, ChangeSetRecord][] = [];
    this.objects = new Map();
    for (const [key, { value }] of this.#options.disk.entries)
      if (key.startsWith('/objects/')) this.objects.set(key, JSON.parse(value));
      else if (key.startsWith('/changesets/')) records.push([key.slice('/changesets/'.length), JSON.parse(value)]);
    this.changeSets.reload(records);
  }

  uidOf(named: Named): string {
    return this.objects.get(keyOf(named))?.metadata.uid ?? 'nobody';
  }

  asked(ask: Ask): Open {
    const reach = ask.do === 'cascade' ? this.reach(ask.roots) : new Set<string>();
    const always = this.#uidsOf(reach);
    const open: Open = { ask, codes: new Set(this.codes(ask)), wrote: [], reach, always, ever: new Set(always) };
    this.#noteReach(open);
    this.#open.add(open);
    return open;
  }

  /** Judges the answer. `undefined`: the server died, so that nobody knows; nothing of it can come any more. */
  answered(open: Open, answer: Answer | undefined): void {
    this.#open.delete(open);
    if (answer === undefined) return;
    const { code, body } = answer;
    this.onAnswer(`${wordsOf(open.ask)}: ${code}`);
    const say = (what: string) => this.#options.say(`${JSON.stringify(open.ask)} was answered with ${code} ${what}`);
    const unavailable = code === 0 || (code === 503 && this.#options.faulty);
    if (!unavailable && !open.codes.has(code))
      say(
        `and not with ${[...open.codes].join(' or ')}: ${JSON.stringify((body as { message?: string }).message ?? '')}`,
      );
    if (code < 200 || code >= 300) {
      const markedForAMoment = 'kind' in open.ask && open.ask.kind === 'Namespace';
      if (open.wrote.length > 0 && !markedForAMoment) say('and was carried out');
    } else if (open.ask.do === 'cascade') this.#judgeCascade(open, body as { items: { uid: string }[] }, say);
    else if (open.ask.do === 'delete') this.#judgeDelete(open.ask, open, say);
    else if (open.ask.do !== 'flow') {
      const { resourceVersion } = (body as PlumbObject).metadata;
      if (open.ask.do === 'create' && open.wrote.length !== 1) say(`and written ${open.wrote.length} times`);
      else if (open.wrote.length > 0 && String(open.wrote.at(-1)) !== resourceVersion)
        say(`at ${resourceVersion}, and written at ${open.wrote}: an acknowledged write was lost`);
    }
  }

  /** Codes with which the request is answered if it is looked at now. */
  codes(ask: Ask): number[] {
    if (ask.do === 'cascade') return this.#cascadeCodes(ask);
    if (ask.do === 'flow') return this.#flowCodes(ask);
    const key = keyOf(ask);
    const object = this.objects.get(key);
    if (ask.do === 'create') {
      if (ask.illegal) return [422];
      const namespace = key.split('/')[3];
      const project = namespace ? this.objects.get(namespaceKey(namespace)) : undefined;
      if (namespace && !project) return [404];
      if (project?.metadata.deletionTimestamp) return [403];
      return [object ? 409 : 201];
    }
    if (ask.do === 'delete' && ask.kind === 'Namespace') {
      if (ask.name === 'default') return [403];
    }
    if (!object) return [404];
    if (ask.do === 'delete' || ask.do === 'retry') return [200];
    if (ask.do === 'replace' && ask.stale) return [409];
    const wanted = ask.do === 'change' ? merged(object.spec, ask.spec) : ask.spec;
    return [ask.illegal || changesWhatIsFixed(object, wanted) ? 422 : 200];
  }

  /**
   * Keys of the objects and of all that refers to them or runs on them, in turn. `planned`: also those that flows are about
   * to place there.
   */
  reach(roots: readonly Named[], planned = false): Set<string> {
    const reached = new Set<string>();
    const queue = roots.map(keyOf);
    for (const key of queue) {
      if (reached.has(key) || !this.objects.has(key)) continue;
      reached.add(key);
      for (const [other, object] of this.objects)
        if (this.#dependsOn(object, key) || (planned && this.#isPlannedOn(object, key))) queue.push(other);
    }
    return reached;
  }

  #uidsOf(keys: Iterable<string>): Set<string> {
    return new Set(Array.from(keys, (key) => this.objects.get(key)!.metadata.uid));
  }

  /** What others do in the meantime changes what a cascade reaches: it is carried out at one of these moments. */
  #noteReach(open: Open): void {
    if (open.ask.do !== 'cascade') return;
    const { roots } = open.ask;
    open.always = open.always.intersection(this.#uidsOf(this.reach(roots)));
    for (const uid of this.#uidsOf(this.reach(roots, true))) open.ever.add(uid);
  }

  /** What change sets and deletions of namespaces have left undone, or say wrongly. */
  broken(): string[] {
    const found: string[] = [];
    for (const [key, object] of this.objects) {
      if (object.kind === 'Namespace' && object.metadata.deletionTimestamp && !this.#isInUse(object.metadata.name))
        found.push(`${key} is being deleted, nothing is in it, and it is there`);
      if (this.#isForgotten(key, object)) found.push(`${key} is in a namespace that is being deleted, and stays`);
      if (object.kind === 'Namespace' && !this.objects.has(accountKey(object.metadata.name)))
        found.push(`${key} has no ServiceAccount default`);
      if (object.kind !== 'ChangeSet') continue;
      const { metadata, status } = object;
      const ended = this.changeSets.ended.get(metadata.uid);
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      if ((ended === 'applied' && ready?.status !== 'True') || (ended === 'returned' && ready?.status === 'True'))
        found.push(`${key} was ${ended}, and says ${ready?.reason} ${ready?.message}`);
    }
    for (const uid of this.changeSets.running())
      if (![...this.objects.values()].some(({ metadata }) => metadata.uid === uid))
        found.push(`the record of change set ${uid} outlived it`);
    return found;
  }

  #follow(batch: Batch, revision: number): void {
    const ofChangeSet = this.changeSets.judge(batch, this.objects);
    for (const op of batch.ops) {
      if (!op.key.startsWith('/objects/')) continue;
      const before = this.objects.get(op.key);
      if (op.type === 'delete') {
        const withNamespace = isDefaultAccount(before) && !this.objects.has(namespaceKey(before!.metadata.namespace!));
        const goesAlong = withNamespace || this.#isInLeaving(before);
        if (!before?.metadata.deletionTimestamp && !goesAlong && !this.#askedFor(op.key, revision, ['delete']))
          this.#options.say(`${op.key} went, and nobody had deleted it`);
        this.objects.delete(op.key);
      } else {
        const after = JSON.parse(op.value) as PlumbObject;
        if (!ofChangeSet?.has(op.key)) this.#judgeWrite(op.key, before, after, revision);
        const { namespace } = after.metadata;
        if (!before && namespace && !this.objects.has(namespaceKey(namespace)))
          this.#options.say(`${op.key} was made in a namespace that is not there`);
        this.objects.set(op.key, after);
      }
    }
    for (const open of this.#open) {
      for (const code of this.codes(open.ask)) open.codes.add(code);
      this.#noteReach(open);
    }
  }

  #judgeWrite(key: string, before: PlumbObject | undefined, after: PlumbObject, revision: number): void {
    const say = (what: string) => this.#options.say(`${key} ${what}`);
    if (!before) {
      const open = this.#askedFor(key, revision, ['create']);
      if (open) {
        if (!covers(after.spec, (open.ask as { spec: unknown }).spec)) say(`became ${JSON.stringify(after.spec)}`);
      } else if (!this.#comesByItself(key, after)) say('came, and nobody had asked for it');
      return;
    }
    if (before.metadata.uid !== after.metadata.uid) say('became another object: an acknowledged write was lost');
    if (declared(before) !== declared(after)) {
      const open = this.#askedFor(key, revision, ['change', 'replace', 'retry']);
      if (!open) say(`became ${declared(after)}, and nobody had asked for it; acknowledged was ${declared(before)}`);
      else if (!covers(after.spec, wantedSpec(open.ask, before)))
        say(
          `became ${JSON.stringify(after.spec)} by ${JSON.stringify(open.ask)}; it was ${JSON.stringify(before.spec)}`,
        );
    }
    const [wasLeaving, isLeaving] = [before.metadata.deletionTimestamp, after.metadata.deletionTimestamp];
    if (!wasLeaving && isLeaving && !this.#isInLeaving(after) && !this.#askedFor(key, revision, ['delete', 'cascade']))
      say('is being deleted, and nobody asked for it');
    if (wasLeaving && !isLeaving && after.kind !== 'Namespace') say('is not being deleted any more');
  }

  /** With a namespace all that is in it is deleted. */
  #isInLeaving(object: PlumbObject | undefined): boolean {
    const { namespace } = object?.metadata ?? {};
    if (namespace === undefined) return false;
    return this.objects.get(namespaceKey(namespace))?.metadata.deletionTimestamp !== undefined;
  }

  /** Whether it should be on its way out with its namespace: nothing refers to it. */
  #isForgotten(key: string, object: PlumbObject): boolean {
    if (!this.#isInLeaving(object) || object.metadata.deletionTimestamp || isDefaultAccount(object)) return false;
    return ![...this.objects].some(([other, one]) => other !== key && this.#dependsOn(one, key));
  }

  /** The request that asks for this. */
  #askedFor(key: string, revision: number, what: readonly Ask['do'][]): Open | undefined {
    for (const open of this.#open) {
      const { ask } = open;
      if (!what.includes(ask.do) || ask.do === 'flow') continue;
      const meant = ask.do === 'cascade' ? this.#reaches(ask.roots, key) : keyOf(ask) === key;
      if (!meant) continue;
      open.wrote.push(revision);
      return open;
    }
    return undefined;
  }

  /** An instance may be about to be placed on a host: where, is known to the control plane only. */
  #reaches(roots: readonly Named[], key: string): boolean {
    const onHost =
      roots.some(({ kind }) => kind === 'Host' || kind === 'Zone') && key.startsWith('/objects/instances/');
    return onHost || this.reach(roots).has(key);
  }

  /** Hosts declare themselves; one namespace is always there; each has a ServiceAccount. */
  #comesByItself(key: string, object: PlumbObject): boolean {
    const isOwnHost = object.kind === 'Host' && this.#options.hosts.has(object.metadata.name);
    return isOwnHost || key === namespaceKey('default') || isDefaultAccount(object);
  }

  #isInUse(namespace: string): boolean {
    return [...this.objects.values()].some(
      (object) => object.metadata.namespace === namespace && !isDefaultAccount(object),
    );
  }

  #dependsOn(object: PlumbObject, key: string): boolean {
    const kind = kindByName(object.kind);
    if (kind && referenceKeys(kind, object).includes(key)) return true;
    const [, , plural, , name] = key.split('/');
    return plural === 'hosts' && object.kind === 'Instance' && (object as Instance).status?.host === name;
  }

  /** Whether a flow holds a place on the host for the instance, or is to make something of it there. */
  #isPlannedOn({ metadata }: PlumbObject, key: string): boolean {
    const [, , plural, , name] = key.split('/');
    const value = plural === 'hosts' ? this.#options.disk.entries.get(`/flows/${metadata.uid}`)?.value : undefined;
    if (value === undefined) return false;
    const { held, target, plan } = readText(value) as FlowRecord;
    return [...held, ...(target ? [target] : []), ...plan.steps].some(({ host }) => host === name);
  }

  #cascadeCodes({ roots, miscounted }: Ask & { do: 'cascade' }): number[] {
    if (roots.length === 0) return [422];
    if (roots.some((root) => !this.objects.has(keyOf(root)))) return [404];
    if (this.#isMoving()) return [200, 409, 422];
    return [miscounted ? 422 : 200];
  }

  #flowCodes({ what, name, namespace }: Ask & { do: 'flow' }): number[] {
    const object = this.objects.get(keyOf({ kind: 'Instance', name, namespace }));
    const value = object && this.#options.disk.entries.get(`/flows/${object.metadata.uid}`)?.value;
    // A request finds the flow as the server has it, which is a moment away from the disk.
    if (this.#isMoving()) return [200, 404, 409, 422];
    if (value === undefined) return [404];
    return [what === 'retry' || (readText(value) as FlowRecord).stuck ? 200 : 422];
  }

  /** Whether anything is under way that nobody waits for. */
  #isMoving(): boolean {
    if (this.#open.size > 1 || this.changeSets.running().length > 0) return true;
    for (const [key, { value }] of this.#options.disk.entries)
      if (key.startsWith('/flows/') && (readText(value) as FlowRecord).direction !== 'failed') return true;
    for (const { metadata } of this.objects.values()) if (metadata.deletionTimestamp) return true;
    return this.#options.faulty;
  }

  #judgeCascade(open: Open, { items }: { items: { uid: string }[] }, say: (what: string) => void): void {
    const reached = new Set(items.map(({ uid }) => uid));
    for (const object of this.objects.values())
      if (reached.has(object.metadata.uid) && !object.metadata.deletionTimestamp)
        say(`and ${object.kind} ${object.metadata.name} stays`);
    const missed = open.always.difference(reached);
    const unasked = reached.difference(open.ever);
    if (missed.size > 0) say(`and did not reach ${[...missed].join(', ')}`);
    if (unasked.size > 0) say(`and reached ${[...unasked].join(', ')} besides ${[...open.reach].join(', ')}`);
  }

  #judgeDelete(ask: Named, { wrote }: Open, say: (what: string) => void): void {
    const object = this.objects.get(keyOf(ask));
    if (wrote.length === 0 && object && !object.metadata.deletionTimestamp)
      say('and lives on: an acknowledged deletion was lost');
  }
}

function wantedSpec(ask: Ask, before: PlumbObject): unknown {
  if (ask.do === 'change') return merged(before.spec, ask.spec);
  return ask.do === 'replace' ? ask.spec : before.spec;
}

function wordsOf(ask: Ask): string {
  if (ask.do === 'flow') return `flow ${ask.what}`;
  return ask.do === 'cascade' ? 'cascade' : `${ask.do} ${ask.kind}`;
}
