/**
 * Legal and illegal requests on all kinds, in peace: the model says the code of each answer before it is given, and what
 * there is in the end.
 */
import { referenceKeys } from '@plumb/reconciler/runtime/references.ts';
import type { Host, Instance, PlumbObject } from '@plumb/schemas';
import { kindByName } from '@plumb/schemas';
import fc from 'fast-check';
import { ready } from '../oracle/estate.ts';
import { monitor } from '../oracle/monitor.ts';
import { World } from '../world/world.ts';
import { type Action, actionText, type KindName } from './actions.ts';
import { weighted } from './chance.ts';
import { isDefaultAccount, keyOf } from './compare.ts';
import { foundation } from './foundation.ts';
import type { Model } from './model.ts';
import { Player } from './play.ts';
import { settle } from './settle.ts';
import { hastyWishes } from './wishes.ts';

interface Cloud {
  world: World;
  player: Player;
  counts: ApiCounts;
}

/** What was reached, so that a test can tell that it did. */
export interface ApiCounts {
  /** By what was asked, on which kind, and how it was answered. */
  answers: Map<string, number>;
  /** Objects of which the model knew that they must be Ready, and they were. */
  foretold: number;
}

class Do implements fc.AsyncCommand<Model, Cloud> {
  readonly action: Action;

  constructor(action: Action) {
    this.action = action;
  }

  check(): boolean {
    return true;
  }

  async run(_: Model, { world, player }: Cloud): Promise<void> {
    await player.do(this.action);
    if (world.violations.length > 0) throw new Error(world.violations.join('\n'));
  }

  toString(): string {
    return actionText(this.action);
  }
}

/** Waits until nothing moves, and compares. */
class Look implements fc.AsyncCommand<Model, Cloud> {
  check(): boolean {
    return true;
  }

  async run(model: Model, { world, player, counts }: Cloud): Promise<void> {
    await player.answers();
    const { wrong } = await settle(world, 0);
    wrong.push(...world.violations, ...model.broken(), ...foretold(model, world, counts));
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  }

  toString(): string {
    return 'look';
  }
}

/** Random lists of requests, each judged; throws with the shortest list that goes wrong, and how to see it again. */
export async function checkApi(seed: number, runs: number): Promise<ApiCounts> {
  const counts: ApiCounts = { answers: new Map(), foretold: 0 };
  const action = weighted<Action>(
    [9, hastyWishes],
    [2, fc.integer({ min: 1, max: 3_000 }).map((ms) => ({ do: 'wait', ms }))],
  ).map((it) => new Do(it));
  // Of the sorts of commands each is as likely as the others.
  const sorts = [...Array.from({ length: 9 }, () => action), fc.constant(new Look())];
  const lists = fc.commands(sorts, { maxCommands: 120, size: 'max' });
  const property = fc.asyncProperty(fc.noBias(lists), async (commands) => {
    const world = new World({ seed: 'api', hosts: 3, zone: 'home', cpus: 64, memoryMiB: 262_144 });
    try {
      monitor(world);
      const player = new Player(world, false);
      player.model.onAnswer = (what) => counts.answers.set(what, (counts.answers.get(what) ?? 0) + 1);
      const cloud: Cloud = { world, player, counts };
      for (const action of foundation) await new Do(action).run(player.model, cloud);
      await fc.asyncModelRun(() => ({ model: player.model, real: cloud }), commands);
      await new Look().run(player.model, cloud);
    } finally {
      world.close();
    }
  });
  await fc.assert(property, { seed, numRuns: runs });
  return counts;
}

/** What must be gone and is there; what must be Ready and is not. */
function foretold(model: Model, world: World, counts: ApiCounts): string[] {
  const wrong: string[] = [];
  for (const [key, object] of model.objects) {
    if (object.kind === 'Namespace' || isDefaultAccount(object)) continue;
    const { name, namespace, uid, deletionTimestamp } = object.metadata;
    const dependent = model.reach([{ kind: object.kind as KindName, name, namespace }]).size > 1;
    const alone = !dependent && !isHeld(world, uid);
    if (deletionTimestamp && alone) wrong.push(`${key} was deleted, nothing depends on it, and it is there`);
    if (!mustBeReady(model, object)) continue;
    counts.foretold++;
    const condition = ready(object);
    if (condition?.status !== 'True') wrong.push(`${key} must be Ready: ${condition?.reason} ${condition?.message}`);
  }
  return wrong;
}

/** Whether an instance or its flow that waits in the middle still has a part of it, or is filtered by it. */
function isHeld({ disk, machines }: World, uid: string): boolean {
  for (const machine of machines.values())
    for (const resource of machine.resources().values())
      if (resource.kind === 'port-filter' && resource.spec.rulesets.includes(uid)) return true;
  for (const [key, { value }] of disk.entries)
    if (/^\/(flows|objects\/instances)\//.test(key) && value.includes(uid)) return true;
  return false;
}

/** Whether nothing can hinder the object, as far as a simple look tells. */
function mustBeReady(model: Model, object: PlumbObject): boolean {
  if (object.metadata.deletionTimestamp || object.metadata.name === 'host-9') return false;
  if (['ChangeSet', 'GitSource', 'TerraformState'].includes(object.kind)) return false;
  for (const key of referenceKeys(kindByName(object.kind)!, object)) {
    const other = model.objects.get(key);
    if (!other || !mustBeReady(model, other)) return false;
  }
  return object.kind !== 'Instance' || fitsSurely(model, object as Instance);
}

/** Addresses and sizes that are always to be had, on a host that takes instances. */
function fitsSurely(model: Model, { spec, status }: Instance): boolean {
  const image = model.objects.get(keyOf({ kind: 'Image', name: spec.image }));
  if (spec.offering === 'huge' || spec.spread || spec.driftPolicy === 'Report') return false;
  if (status?.rootDisk && status.rootDisk.imageUid !== image?.metadata.uid) return false;
  if (spec.interfaces.some((i) => i.addresses || i.macAddress || i.l3Network === 'tight')) return false;
  const host = status?.host ? model.objects.get(keyOf({ kind: 'Host', name: status.host })) : undefined;
  if (host?.metadata.deletionTimestamp) return false;
  const open = [...model.objects.values()].some(
    (o) => o.kind === 'Host' && mustBeReady(model, o) && !(o as Host).spec.unschedulable,
  );
  return status?.host !== undefined || open;
}
