/** Random histories of one object: who applies and updates what, in which order. */
import type { Dice } from '../core/dice.ts';

export interface Step {
  op: 'apply' | 'update';
  manager: string;
  force: boolean;
  subresource: '' | 'status';
  object: Record<string, unknown>;
}

export interface History {
  kind: string;
  steps: Step[];
}

const MANAGERS = ['kubectl', 'terraform', 'gitops', 'controller'];

export function randomHistory(dice: Dice, most = 8): History {
  const kind = dice.pick(['Instance', 'Instance', 'L3Network', 'Zone', 'Host']);
  const steps: Step[] = [];
  for (let i = dice.between(2, most); i > 0; i--) {
    const subresource = steps.length > 0 && dice.chance(0.15) ? 'status' : '';
    const op = dice.chance(0.7) ? 'apply' : 'update';
    const object = randomObject(dice, kind);
    steps.push({ op, manager: dice.pick(MANAGERS), force: op === 'apply' && dice.chance(0.3), subresource, object });
  }
  return { kind, steps };
}

function randomObject(dice: Dice, kind: string): Record<string, unknown> {
  const object: Record<string, unknown> = { apiVersion: 'plumb.dev/v1', kind, metadata: metadata(dice) };
  const spec = specs[kind]!(dice);
  if (dice.chance(0.9)) object.spec = spec;
  if (dice.chance(0.3)) object.status = status(dice);
  return object;
}

type Fields = Record<string, unknown>;

/** Each field with a chance; now and then nothing in place of it, in both forms. */
function some(dice: Dice, fields: Record<string, (dice: Dice) => unknown>, chance = 0.4): Fields {
  const made: Fields = {};
  for (const [name, make] of Object.entries(fields)) {
    if (!dice.chance(chance)) continue;
    const value = make(dice);
    const bare = Array.isArray(value) ? [] : typeof value === 'object' ? {} : undefined;
    made[name] = dice.chance(0.03) ? null : bare !== undefined && dice.chance(0.06) ? bare : value;
  }
  return made;
}

/** Some of these, in a random order. */
function subset<T>(dice: Dice, from: readonly T[]): T[] {
  const left = [...from];
  const taken: T[] = [];
  for (let i = dice.between(1, left.length); i > 0; i--)
    taken.push(...left.splice(dice.between(0, left.length - 1), 1));
  return taken;
}

const word = (dice: Dice) => dice.pick(['a', 'b', 'c']);
const wordsBy = (dice: Dice, keys: readonly string[]) =>
  Object.fromEntries(subset(dice, keys).map((key) => [key, word(dice)]));

function metadata(dice: Dice): Fields {
  return {
    name: 'one',
    ...some(
      dice,
      {
        labels: () => wordsBy(dice, ['tier', 'app.kubernetes.io/name', 'x']),
        annotations: () => wordsBy(dice, ['note', 'plumb.dev/retry']),
        finalizers: () => subset(dice, ['a.dev/one', 'b.dev/two', 'c.dev/three']),
        ownerReferences: () =>
          subset(dice, ['u1', 'u2']).map((uid) => ({ apiVersion: 'v1', kind: 'Thing', name: word(dice), uid })),
      },
      0.25,
    ),
  };
}

const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

const specs: Record<string, (dice: Dice) => Fields> = {
  Zone: (dice) => some(dice, { description: word }, 0.7),
  Host: (dice) =>
    some(dice, {
      zone: word,
      unschedulable: () => dice.chance(0.5),
      cpuOvercommitRatio: () => dice.pick([1, 1.5, 2]),
      capacity: () => some(dice, { cpus: () => dice.between(1, 3), memoryMiB: () => dice.between(1, 3) }, 0.6),
    }),
  L3Network: (dice) =>
    some(dice, {
      l2Network: word,
      ipv4: () =>
        some(
          dice,
          {
            cidr: () => '10.0.0.0/24',
            ranges: () => subset(dice, addresses).map((start) => ({ start, end: dice.pick(addresses) })),
            reserved: () => subset(dice, addresses),
          },
          0.6,
        ),
      dns: () => some(dice, { domain: word, servers: () => subset(dice, addresses) }, 0.6),
    }),
  Instance: (dice) =>
    some(dice, {
      ...{ zone: word, offering: word, image: word, power: () => dice.pick(['Running', 'Stopped']) },
      rootDiskMiB: () => dice.between(1, 3),
      allowDataLoss: () => dice.chance(0.5),
      interfaces: () =>
        subset(dice, ['eth0', 'eth1', 'eth2']).map((name) => ({
          name,
          ...some(dice, { l3Network: word, addresses: () => subset(dice, addresses), macAddress: word }, 0.5),
        })),
      sshKeys: () => subset(dice, ['ssh-ed25519 AAAA a', 'ssh-ed25519 BBBB b', 'ssh-rsa CCCC "c"']),
      hostSelector: () => some(dice, { matchLabels: () => wordsBy(dice, ['rack', 'row']) }, 0.8),
      spread: () => some(dice, { group: word, hostLabel: word }, 0.6),
    }),
};

function status(dice: Dice): Fields {
  return some(
    dice,
    {
      observedGeneration: () => dice.between(1, 3),
      conditions: () =>
        subset(dice, ['Ready', 'Stalled']).map((type) => ({
          type,
          ...some(dice, { status: () => dice.pick(['True', 'False']), reason: word, message: word }, 0.7),
        })),
    },
    0.7,
  );
}
