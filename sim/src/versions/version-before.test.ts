/** Server and agents of today speak to those of the version before: all that is said crosses its wire, both ways. */
import * as codec from '@plumb/schemas/wire/codec.ts';
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { versionOne } from '@plumb/schemas/wire/testing/version-one.ts';
import { expect, test } from 'vitest';
import { gone, stage, vm, wait } from '../regressions/stage.ts';

test('instances are made, changed, lost, repaired and deleted through the wire of version 1', async () => {
  const wire = versionOne();
  using on = await stage('version-1', 2, { wire });
  await on.do(vm('a'), vm('b'), wait(10_000));
  expect(await on.wrong()).toEqual([]);
  const keptOn = () => [...on.world.machines.values()].flatMap(({ host }) => [...host.resources.keys()]);
  const before = keptOn().filter((key) => key.startsWith('domain/'));
  expect(before).toHaveLength(2);
  // A server that begins anew is told by a digest what lives, or all of it; so is one that lost the connection.
  await on.do({ do: 'crash', who: 'control', forMs: 500 });
  await on.do(wait(20_000));
  await on.do({ do: 'cut', host: 'host-1' }, { do: 'crash', who: 'host-2', forMs: 500 });
  await on.do({ do: 'guest', name: 'b', how: 'crashed' }, { do: 'drift', name: 'a' }, wait(10_000));
  await on.do({ do: 'change', kind: 'Instance', name: 'a', spec: { power: 'Stopped' } }, wait(10_000));
  expect(await on.wrong()).toEqual([]);
  await on.do(gone('a'), gone('b'), wait(10_000));
  expect(await on.wrong()).toEqual([]);
  expect(keptOn().filter((key) => /^(domain|disk|seed|port)\//.test(key))).toEqual([]);
  const { messages, refused } = wire.crossed;
  expect([...messages].sort()).toEqual(['attach', 'attached', 'changes', 'command', 'heartbeat', 'result', 'snapshot']);
  // What is declared has a shape that the version before takes.
  expect(refused).toEqual([]);
});

test('what only this version says is passed over, and the rest of the frame is heard', () => {
  const { agent, server, crossed } = versionOne();
  const { agentFrame, serverFrame } = codec;
  const heartbeat = { host: '', body: 'heartbeat', heartbeat: { sequence: 7 } } as const;
  const report: AgentMessage = {
    host: 'a',
    body: 'report',
    report: { troubles: [{ reason: 'R', message: 'm', blocking: true }] },
  };
  const progress = { host: 'a', body: 'progress', progress: { command: 'c', bytes: 1, ofBytes: 2 } } as const;
  const heard = agentFrame.decode(agent(agentFrame.encode({ messages: [report, heartbeat, progress] })));
  expect(heard.messages).toEqual([expect.objectContaining({ body: 'heartbeat' })]);
  const cancel = { host: 'a', body: 'cancel', cancel: { command: 'c' } } as const;
  const attached = { host: 'a', body: 'attached', attached: { session: 's', term: 3, liveDigest: 'd' } } as const;
  const told = serverFrame.decode(server(serverFrame.encode({ messages: [cancel, attached] })));
  expect(told.messages).toEqual([expect.objectContaining({ body: 'attached', attached: attached.attached })]);
  expect(crossed.dropped).toEqual({ agent: 1, server: 2 });
});
