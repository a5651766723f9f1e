/**
 * What an agent refuses after it was started again. Of its own it keeps only the file with credential and highest term;
 * fences are in memory. A session has a random id, opened by one start of the agent and never again, so that every
 * command from before the restart is of a closed session; and the fence is only needed within a session.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostResource, realAmbient } from '@plumb/schemas';
import type { AgentMessage, Command, CommandResult } from '@plumb/schemas/wire/messages.ts';
import { VERB } from '@plumb/schemas/wire/messages.ts';
import { resourceToWire } from '@plumb/schemas/wire/resource-codec.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimulatedHost } from '../drivers/simulated/simulated-host.ts';
import { Identity } from '../identity/identity.ts';
import { HostSession } from './host-session.ts';

const { clock, random, ids } = realAmbient();

/** One start of the agent: everything in it is lost with it, but what is on the disk and on the host. */
interface Agent {
  session: HostSession;
  identity: Identity;
  results: CommandResult[];
  /** Opens a session, as the control plane does after Attach. */
  open(id: string, term: number): Promise<void>;
  /** Delivers the commands, and resolves to the reason of each refusal, or `obeyed` or the reason of the failed step. */
  deliver(...commands: Command[]): Promise<string[]>;
}

let folder: string;
let host: SimulatedHost;
let touched: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-restart-'));
  host = new SimulatedHost({ clock, random, cpus: 4, memoryMiB: 4096 });
  touched = 0;
  host.onChange(() => {
    touched++;
  });
});
afterEach(() => rm(folder, { recursive: true }));

/** Starts the agent as its process does: the one before is dead, without having been told. */
async function start(): Promise<Agent> {
  const identity = await Identity.load(folder, 'host-1', ids);
  const results: CommandResult[] = [];
  const session = new HostSession({
    ...{ identity, clock, random, agentVersion: '1', tunnelAddress: '192.0.2.1', registerZone: 'home' },
    driver: host,
    log: () => {},
  });
  const push = (message: AgentMessage) => {
    if (message.body === 'result') results.push(message.result);
  };
  return {
    ...{ session, identity, results },
    open: (id, term) => session.begin({ push }, id, term),
    async deliver(...commands) {
      for (const command of commands) session.command(command);
      await session.idle();
      return commands.map(({ id }) => {
        const result = results.find(({ command }) => command === id)!;
        return result.refused?.reason ?? result.steps.find(({ ok }) => !ok)?.reason ?? 'obeyed';
      });
    },
  };
}

const bridge = (name: string): HostResource<'bridge'> => ({
  kind: 'bridge',
  id: 'b',
  owner: 'b',
  spec: { name, type: 'flat', physicalInterface: 'eth0', mtuBytes: 1500, peers: [] },
});

let commands = 0;
function command(session: string, term: number, fence: number, name = 'lab', verb: number = VERB.ensure): Command {
  const steps = [{ id: 'step', verb, resource: resourceToWire(bridge(name)) }];
  return { id: `c${++commands}`, owner: 'b', session, term, fence, steps };
}
const nameOnHost = () => {
  const resource = host.resources.get('bridge/b');
  return resource?.kind === 'bridge' ? resource.spec.name : undefined;
};

describe('an agent that was started again', () => {
  test('refuses lower terms: the highest was on the disk before it was obeyed', async () => {
    const before = await start();
    await before.open('s1', 7);
    expect(await before.deliver(command('s1', 7, 10))).toEqual(['obeyed']);
    const after = await start();
    expect(after.identity.highestTerm).toBe(7);
    expect((await after.session.attachMessage()).body).toBe('attach');
    await expect(after.open('s2', 6)).rejects.toMatchObject({ reason: 'LowerTerm' });
    await after.open('s2', 7);
    expect(await after.deliver(command('s2', 6, 99, 'late'))).toEqual(['LowerTerm']);
    expect(nameOnHost()).toBe('lab');
  });

  test('refuses lower terms also when it died while a command raised the term', async () => {
    const before = await start();
    await before.open('s1', 7);
    const raising = command('s1', 9, 1);
    before.session.command(raising);
    await before.session.idle();
    expect(before.results.at(-1)).toMatchObject({ command: raising.id, refused: null });
    const after = await start();
    await expect(after.open('s2', 8)).rejects.toMatchObject({ reason: 'LowerTerm' });
  });

  test('refuses every command of a former session, whatever its term and fence', async () => {
    const before = await start();
    await before.open('s1', 7);
    const late = [command('s1', 7, 10), command('s1', 7, 99, 'late'), command('s1', 99, 99, 'late')];
    await before.deliver(late[0]!);
    const after = await start();
    const changes = touched;
    for (const one of late) after.session.command(one); // before any session: there is nobody to tell
    await after.session.idle();
    await after.open('s2', 7);
    expect(await after.deliver(...late.map((c) => ({ ...c, id: `${c.id} again` })))).toEqual(
      Array(3).fill('ClosedSession'),
    );
    // A refused command moves neither the term nor the fence.
    expect(after.identity.highestTerm).toBe(7);
    expect(touched).toBe(changes);
    expect(await after.deliver(command('s2', 7, 11, 'new'))).toEqual(['obeyed']);
    expect(nameOnHost()).toBe('new');
  });

  test('refuses lower fences from the first command of the new session on', async () => {
    const before = await start();
    await before.open('s1', 7);
    await before.deliver(command('s1', 7, 20, 'turned'));
    const after = await start();
    await after.open('s2', 7);
    // The control plane sends again, at the flow's last turn: an earlier turn is only in commands of the former session.
    expect(await after.deliver(command('s1', 7, 10, 'late'), command('s2', 7, 20, 'turned'))).toEqual([
      'ClosedSession',
      'obeyed',
    ]);
    expect(await after.deliver(command('s2', 7, 10, 'late'))).toEqual(['LowerFence']);
    expect(nameOnHost()).toBe('turned');
  });

  test('takes no session for an earlier one: not its own, nor the one of a control plane that is over', async () => {
    const agents = [await start(), await start(), await start()];
    for (const [i, agent] of agents.entries()) {
      await agent.open(`s${i}`, 7 + i);
      for (const other of [0, 1, 2].filter((n) => n !== i))
        expect(await agent.deliver(command(`s${other}`, 9, 99, 'late'))).toEqual(['ClosedSession']);
      expect(await agent.deliver(command(`s${i}`, 7 + i, 1, `by ${i}`))).toEqual(['obeyed']);
    }
    expect(nameOnHost()).toBe('by 2');
  });
});

describe('delivered twice, or in another order', () => {
  test('a command does what it did once, before and after a restart', async () => {
    const before = await start();
    await before.open('s1', 7);
    const make = command('s1', 7, 10);
    expect(await before.deliver(make)).toEqual(['obeyed']);
    const changes = touched;
    expect(await before.deliver(make, make)).toEqual(['obeyed', 'obeyed']);
    const after = await start();
    await after.open('s2', 7);
    expect(await after.deliver({ ...make, session: 's2' })).toEqual(['obeyed']);
    expect(touched).toBe(changes);
  });

  test('commands of different turns end as the last turn says, in whatever order they come', async () => {
    const turns: [fence: number, name: string][] = [
      [10, 'first'],
      [11, 'second'],
      [12, 'last'],
    ];
    for (const [i, order] of permutations([0, 1, 2]).entries()) {
      const agent = await start();
      await agent.open(`o${i}`, 7);
      const sent = turns.map(([fence, name]) => command(`o${i}`, 7, fence, name));
      await agent.deliver(
        ...order.map((n) => sent[n]!),
        ...order.map((n) => ({ ...sent[n]!, id: `${sent[n]!.id} again` })),
      );
      expect(nameOnHost()).toBe('last');
    }
  });

  test('what was removed at a later turn is not made again by an earlier command', async () => {
    const agent = await start();
    await agent.open('s1', 7);
    const make = command('s1', 7, 10);
    expect(await agent.deliver(make, command('s1', 7, 11, 'lab', VERB.remove))).toContain('obeyed');
    expect(await agent.deliver({ ...make, id: 'late' })).toEqual(['LowerFence']);
    expect(nameOnHost()).toBeUndefined();
  });
});

function permutations(items: number[]): number[][] {
  if (items.length < 2) return [items];
  return items.flatMap((first) => permutations(items.filter((i) => i !== first)).map((rest) => [first, ...rest]));
}
