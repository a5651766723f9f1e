/** What guests can do to each other, to the gateway, to the host and to the outside: real frames through real bridges. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoRealHost } from '../../drivers/libvirt/real-host.ts';
import { readFilter } from '../filter.ts';
import { allCases } from './cases/all.ts';
import { ethernet, ipv4, tcp } from './frames.ts';
import { makeOld } from './old-version.ts';
import type { Outcome } from './run.ts';
import { sendMatrix } from './run.ts';
import { matrixPage } from './table.ts';
import type { Party } from './world.ts';
import { World } from './world.ts';

const PAGE = join(import.meta.dirname, '../../../../docs/guest-isolation.md');
const missing = await whyNoRealHost();

/** Rows of which something else came than was expected, as sentences. */
function surprises(outcomes: readonly Outcome[], unseen?: Party): string[] {
  return outcomes.flatMap(({ row, heard, overheard }) => {
    const seen = (who: Iterable<Party>) =>
      [...who]
        .filter((one) => one !== unseen)
        .sort()
        .join(', ') || 'nobody';
    const [expected, found] = [seen(row.heard), seen(heard)];
    const over = overheard.filter((one) => one !== unseen);
    const what = `${row.group}, ${row.what}, from ${row.from}`;
    return [
      ...(expected === found ? [] : [`${what}: heard by ${found} instead of ${expected}`]),
      ...(over.length === 0 ? [] : [`${what}: overheard by ${over.join(', ')}`]),
    ];
  });
}

describe.skipIf(missing !== undefined)('guests on one bridge', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(async () => {
    await world?.close();
  });

  test('the matrix: who hears what from whom', async () => {
    const page = matrixPage(allCases);
    console.log(page.slice(page.indexOf('\n## ')));
    expect(surprises(await sendMatrix(world, allCases))).toEqual([]);
    expect(await world.learned()).toEqual([]);
    await expect(page).toMatchFileSnapshot(PAGE);
  });

  test('the same where the kernel hands bridged packets to filters of the host', async () => {
    await world.setBridgeNetfilter(true);
    // The witness of what the host hears then sees what is bridged as well.
    expect(surprises(await sendMatrix(world, allCases), 'host')).toEqual([]);
    await world.setBridgeNetfilter(false);
  });

  test('what an earlier version made is mended when the agent starts, while guests use it', async () => {
    await makeOld(world);
    const lldp = allCases.filter(({ title }) => title === "LLDP to each of the 16 groups from the gateway's MAC");
    await sendMatrix(world, lldp);
    expect((await world.learned()).join()).toContain(world.cards.gateway.mac);

    const started = world.openNetwork();
    const opening = started.open();
    let open = false;
    const opened = opening.then(() => {
      open = true;
    });
    for (let serial = 1; !open; serial++) {
      const frame = ping.frame({ own: world.cards.guest, to: world.cards.neighbour, cards: world.cards, serial });
      const [heard] = await world.send('guest', [frame]);
      expect([...heard!], `packet ${serial} while the agent starts`).toContain('neighbour');
    }
    await opened;

    expect((await started.observe()).flatMap(({ kind, drift }) => drift.map((text) => `${kind}: ${text}`))).toEqual([]);
    expect(surprises(await sendMatrix(world, allCases))).toEqual([]);
    expect(await world.learned()).toEqual([]);
  });

  test('a guest that calls its DNS server without end leaves the server some of its processes for others', async () => {
    const { cards } = world;
    const calls = (from: 'guest' | 'neighbour', count: number) => {
      const call = (_: unknown, id: number) => {
        const payload = ipv4({
          ...{ from: cards[from].ip, to: cards.gateway.ip, id: 1 + id },
          ...{ protocol: 6, payload: tcp(40_000 + id, 53) },
        });
        return ethernet({ to: cards.gateway.mac, from: cards[from].mac, type: 0x0800, payload });
      };
      return world.send(from, Array.from({ length: count }, call));
    };
    const answered = (heard: readonly Set<Party>[]) => heard.filter((who) => who.has('gateway')).length;
    expect(answered(await calls('guest', 200))).toBeLessThan(6);
    expect(answered(await calls('neighbour', 1))).toBe(1);
    const listed = await world.run('nft', ['-j', 'list', 'table', 'bridge', world.names.table()]);
    expect(readFilter(listed).complete).toBe(true);
  });

  const eachRule = async () => {
    const table = world.names.table();
    const lines = (await world.run('nft', ['list', 'table', 'bridge', table])).split('\n');
    const load = (kept: string[]) =>
      world.run('nft', ['-f', '-'], { input: `delete table bridge ${table}\n${kept.join('\n')}` });
    const idle: string[] = [];
    for (const [number, line] of lines.entries()) {
      if (!/^\t\t.*\b(drop|accept|jump \w+)$/.test(line) || line.includes('limit rate')) continue;
      await load(lines.toSpliced(number, 1));
      // Without a rule that lets through what is right, the marks are not heard either.
      const found = await sendMatrix(world, allCases).then(surprises, () => ['nothing is heard']);
      if (found.length === 0) idle.push(line.trim());
    }
    await load(lines);
    expect(idle).toEqual([]);
  };
  if (process.env.PLUMB_SOAK_NETWORK) test('each rule of the filter has a frame that shows it', eachRule);
});

const ping = allCases.find(({ group, what, from }) => group === 'IPv4' && what === 'ping' && from === 'guest')!;
