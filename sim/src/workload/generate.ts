/** Random lists of actions from a seed. Names come from a small world, so that actions meet each other. */
import type { Dice } from '../core/dice.ts';
import type { Fate } from '../world/fates.ts';
import type { Action } from './actions.ts';

const INSTANCES = ['vm-0', 'vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'];
const L3 = ['lab', 'tight', 'plain'];

/** What nearly every run begins with, so that something can happen. */
export const foundation: readonly Action[] = [
  { do: 'create', kind: 'Zone', name: 'home', spec: {} },
  { do: 'create', kind: 'InstanceOffering', name: 'small', spec: { cpus: 1, memoryMiB: 256 } },
  { do: 'create', kind: 'InstanceOffering', name: 'big', spec: { cpus: 2, memoryMiB: 3000 } },
  { do: 'create', kind: 'Image', name: 'tiny', spec: imageSpec('a') },
  { do: 'create', kind: 'L2Network', name: 'lab', spec: { zone: 'home', type: 'vxlan', vni: 100 } },
  { do: 'create', kind: 'L2Network', name: 'flat', spec: { zone: 'home', type: 'flat', physicalInterface: 'eth0' } },
  {
    do: 'create',
    kind: 'L3Network',
    name: 'lab',
    spec: { l2Network: 'lab', ipv4: { cidr: '10.20.0.0/24', gateway: '10.20.0.1' } },
  },
  {
    do: 'create',
    kind: 'L3Network',
    name: 'tight',
    spec: { l2Network: 'lab', ipv4: { cidr: '10.30.0.0/29', gateway: '10.30.0.1' } },
  },
  {
    do: 'create',
    kind: 'L3Network',
    name: 'plain',
    spec: { l2Network: 'flat', ipv4: { cidr: '10.40.0.0/24', gateway: '10.40.0.1' } },
  },
];

export interface Mood {
  /** How many actions. */
  length: number;
  hosts: number;
  /** Share of actions that hurt, 0 to 1. */
  violence: number;
  /** Whether the store may be put back. */
  restores: boolean;
}

export function generate(dice: Dice, mood: Mood): Action[] {
  const founded = dice.chance(0.9) ? shuffledSometimes(dice, foundation) : [];
  const actions: Action[] = [...founded];
  for (let i = 0; i < mood.length; i++) {
    actions.push(dice.chance(mood.violence) ? hurt(dice, mood) : want(dice));
    if (dice.chance(0.45))
      actions.push({ do: 'wait', ms: dice.chance(0.2) ? dice.between(500, 20_000) : dice.between(1, 400) });
  }
  return actions;
}

function shuffledSometimes(dice: Dice, actions: readonly Action[]): Action[] {
  const list = [...actions];
  if (dice.chance(0.6)) return list;
  for (let i = list.length - 1; i > 0; i--) {
    const j = dice.between(0, i);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

function want(dice: Dice): Action {
  const nowait = dice.chance(0.3) ? ({ nowait: true } as const) : {};
  const name = dice.pick(INSTANCES);
  const roll = dice.next();
  if (roll < 0.36) return { do: 'create', kind: 'Instance', name, spec: instanceSpec(dice), ...nowait };
  if (roll < 0.62) return { do: 'change', kind: 'Instance', name, spec: instanceChange(dice), ...nowait };
  if (roll < 0.77) return { do: 'delete', kind: 'Instance', name, ...nowait };
  if (roll < 0.8) return { do: 'retry', name, word: dice.hex(4) };
  if (roll < 0.86) return dice.pick(otherChanges)(dice);
  if (roll < 0.91) return dice.pick(otherCreates)(dice);
  if (roll < 0.96) return dice.pick(otherDeletes)(dice);
  return dice.pick(illegal)(name);
}

function instanceSpec(dice: Dice): Record<string, unknown> {
  return {
    zone: 'home',
    offering: pickOffering(dice),
    image: dice.chance(0.9) ? 'tiny' : 'other',
    interfaces: interfaces(dice),
    ...(dice.chance(0.2) ? { power: 'Stopped' } : {}),
    ...(dice.chance(0.15) ? { restartPolicy: 'Always' } : {}),
    ...(dice.chance(0.1) ? { driftPolicy: 'Report' } : {}),
    ...(dice.chance(0.15) ? { spread: { group: 'g' } } : {}),
    ...(dice.chance(0.15) ? { userData: `#cloud-config ${dice.hex(4)}` } : {}),
  };
}

function pickOffering(dice: Dice): string {
  const roll = dice.next();
  return roll < 0.6 ? 'small' : roll < 0.9 ? 'big' : roll < 0.95 ? 'huge' : 'missing';
}

function interfaces(dice: Dice): unknown[] {
  const count = dice.chance(0.65) ? 1 : dice.between(1, 3);
  return Array.from({ length: count }, (_, i) => {
    const network = dice.pick(L3);
    const prefix = { lab: '10.20.0', tight: '10.30.0', plain: '10.40.0' }[network]!;
    return {
      name: `eth${i}`,
      l3Network: network,
      ...(dice.chance(0.25) ? { addresses: [`${prefix}.${dice.between(2, 6)}`] } : {}),
      ...(dice.chance(0.04) ? { macAddress: '02:00:00:00:00:01' } : {}),
    };
  });
}

function instanceChange(dice: Dice): Record<string, unknown> {
  const roll = dice.next();
  if (roll < 0.35) return { power: dice.pick(['Running', 'Stopped']) };
  if (roll < 0.6) return { offering: pickOffering(dice) };
  if (roll < 0.85) return { interfaces: interfaces(dice) };
  if (roll < 0.92) return { userData: `#cloud-config ${dice.hex(4)}` };
  return dice.pick([{ restartPolicy: 'Always' }, { restartPolicy: 'OnFailure' }, { driftPolicy: 'Repair' }]);
}

const otherChanges: ((dice: Dice) => Action)[] = [
  (dice) => ({
    do: 'change',
    kind: 'InstanceOffering',
    name: dice.pick(['small', 'big']),
    spec: { cpus: dice.between(1, 3), memoryMiB: dice.pick([128, 256, 512, 3000]) },
  }),
  (dice) => ({
    do: 'change',
    kind: 'Host',
    name: `host-${dice.between(1, 3)}`,
    spec: { unschedulable: dice.chance(0.5) },
  }),
  (dice) => ({ do: 'change', kind: 'Image', name: 'tiny', spec: { sha256: dice.pick(['a', 'b', 'c']).repeat(64) } }),
  (dice) => ({
    do: 'change',
    kind: 'L2Network',
    name: dice.pick(['lab', 'flat']),
    spec: { mtuBytes: dice.pick([1400, 1450]) },
  }),
  (dice) => ({
    do: 'change',
    kind: 'L3Network',
    name: dice.pick(L3),
    spec: { dns: { domain: dice.pick(['a.internal', 'b.internal']) } },
  }),
  (dice) => ({ do: 'change', kind: 'Zone', name: 'home', spec: { description: dice.hex(4) } }),
];

const otherCreates: ((dice: Dice) => Action)[] = [
  ...foundation.map((action) => () => action),
  () => ({ do: 'create', kind: 'InstanceOffering', name: 'huge', spec: { cpus: 500, memoryMiB: 10_000_000 } }),
  () => ({ do: 'create', kind: 'Image', name: 'other', spec: imageSpec('d') }),
  () => ({ do: 'create', kind: 'Host', name: 'host-9', spec: { zone: 'home' } }),
];

const otherDeletes: ((dice: Dice) => Action)[] = [
  (dice) => ({ do: 'delete', kind: 'L3Network', name: dice.pick(L3) }),
  (dice) => ({ do: 'delete', kind: 'L2Network', name: dice.pick(['lab', 'flat']) }),
  (dice) => ({ do: 'delete', kind: 'Image', name: dice.pick(['tiny', 'other']) }),
  (dice) => ({ do: 'delete', kind: 'InstanceOffering', name: dice.pick(['small', 'big', 'huge']) }),
  (dice) => ({ do: 'delete', kind: 'Host', name: dice.pick(['host-1', 'host-2', 'host-3', 'host-9']) }),
  () => ({ do: 'delete', kind: 'Zone', name: 'home' }),
];

const illegal: ((name: string) => Action)[] = [
  (name) => ({ do: 'create', kind: 'Instance', name, spec: { zone: 'home' }, illegal: true }),
  (name) => ({ do: 'change', kind: 'Instance', name, spec: { zone: 'third' }, illegal: true }),
  (name) => ({ do: 'change', kind: 'Instance', name, spec: { power: 'Flying' }, illegal: true }),
  () => ({ do: 'create', kind: 'L2Network', name: 'bad', spec: { zone: 'home', type: 'vxlan' }, illegal: true }),
  () => ({ do: 'change', kind: 'L3Network', name: 'lab', spec: { ipv4: { cidr: '10.99.0.0/24' } }, illegal: true }),
];

function hurt(dice: Dice, { hosts, restores }: Mood): Action {
  const host = `host-${dice.between(1, hosts)}`;
  const roll = dice.next();
  if (roll < 0.5) return fate(dice);
  if (roll < 0.64)
    return {
      do: 'crash',
      who: dice.chance(0.65) ? 'control' : host,
      forMs: dice.chance(0.8) ? dice.between(10, 800) : dice.between(1_000, 50_000),
    };
  if (roll < 0.68) return { do: 'reboot', host };
  if (roll < 0.74) return { do: 'cut', host };
  if (roll < 0.8)
    return { do: 'partition', host, forMs: dice.chance(0.7) ? dice.between(100, 5_000) : dice.between(20_000, 90_000) };
  if (roll < 0.84) return { do: 'slow', host, times: dice.pick([1, 3, 20, 100]) };
  if (roll < 0.88)
    return {
      do: 'jump',
      who: dice.chance(0.5) ? 'control' : host,
      ms: dice.pick([-3_600_000, -45_000, -1_000, 1_000, 45_000, 3_600_000]),
    };
  if (roll < 0.95)
    return { do: 'guest', name: dice.pick(INSTANCES), how: dice.pick(['shutdown', 'crashed', 'destroyed']) };
  if (roll < 0.98 || !restores) return { do: 'drift', name: dice.pick(INSTANCES) };
  return { do: 'restore', share: dice.chance(0.3) ? 0 : dice.next() };
}

function fate(dice: Dice): Action {
  const skip = dice.between(0, 8);
  const crash = (): Fate => dice.pick(['crash control', 'crash control', 'crash agent', 'crash both']);
  const roll = dice.next();
  if (roll < 0.35) return { do: 'fate', at: 'commit', skip, fate: dice.chance(0.85) ? 'crash control' : 'fail' };
  if (roll < 0.75)
    return {
      do: 'fate',
      at: 'step',
      skip,
      fate: dice.chance(0.6) ? crash() : dice.pick(['fail', 'fail', 'fail terminal', 'repeat', 'reboot host']),
    };
  return { do: 'fate', at: 'frame', skip, fate: dice.chance(0.45) ? crash() : dice.pick(['cut', 'again late']) };
}

function imageSpec(letter: string): Record<string, unknown> {
  return { url: `https://images.test/${letter}`, sha256: letter.repeat(64), format: 'raw' };
}
