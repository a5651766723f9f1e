import type { World } from './world.ts';

/** Makes of the ports what the version before this one made: bridges learn at them, and the filter has other rules. */
export async function makeOld(world: World): Promise<void> {
  const { run, names, resources } = world;
  const taps = (['guest', 'neighbour', 'bystander', 'stranger', 'outside'] as const).map((who) => world.mouth(who));
  const legs = resources.subnets.map(({ id }) => names.leg(id));
  const old = (dev: string) => `link set dev ${dev} type bridge_slave learning on flood on group_fwd_mask 0\n`;
  await run('ip', ['-batch', '-'], { input: [...taps, ...legs].map(old).join('') });
  const shown = JSON.parse(await run('bridge', ['-j', 'fdb', 'show', 'state', 'static'])) as Entry[];
  const fixed = shown.filter(({ master }) => master !== undefined);
  await run('bridge', ['-batch', '-'], {
    input: fixed.map(({ mac, ifname }) => `fdb del ${mac} dev ${ifname} master\n`).join(''),
  });
  const table = (await run('nft', ['list', 'table', 'bridge', names.table()])).replace(/chain rules_\w+/, 'chain old');
  await run('nft', ['-f', '-'], { input: `delete table bridge ${names.table()}\n${table}` });
}

interface Entry {
  mac: string;
  ifname: string;
  master?: string;
}
