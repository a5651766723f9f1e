import { type HostResource, retryable } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, test } from 'vitest';
import { settle } from '../runtime/fake-clock.ts';
import { fleetFor } from './testing/fleet-rig.ts';

const SECOND = 1000;
const { commandSeconds, silentHostSeconds, slowCommandSeconds } = defaultServerLimits;

const seed: HostResource<'seed'> = {
  ...{ kind: 'seed', id: 'o.seed', owner: 'o' },
  spec: { instanceId: 'o', hostname: 'web-0', sshKeys: [], userData: 'SECRET' },
};
const image: HostResource<'image'> = {
  ...{ kind: 'image', id: 'a'.repeat(64), owner: 'i' },
  spec: { url: 'https://example.org/a', sha256: 'a'.repeat(64), format: 'raw', maxBytes: 1000 * (1 << 20) },
};

async function attached(more: Parameters<typeof fleetFor>[2] = {}) {
  const rig = await fleetFor(['h'], {}, more);
  const stream = rig.connect();
  stream.attach('h');
  await settle();
  stream.say({ host: 'h', body: 'snapshot', snapshot: { resources: [], more: false } });
  const send = (verb: 'ensure' | 'remove', resource: HostResource = seed) => {
    const answer = rig.fleet.send('h', { owner: 'o', fence: 1, steps: [{ id: 's', verb, resource }] });
    answer.catch(() => {});
    return answer;
  };
  const answer = () => {
    const { id } = stream.last('command')!.command;
    const step = { step: 's', ok: true, reason: '', message: '', terminal: false };
    stream.say({ host: 'h', body: 'result', result: { command: id, steps: [step] } });
  };
  /** Time passes, and the agent beats. */
  const pass = async (seconds: number) => {
    for (let left = seconds; left > 0; left -= 10) {
      stream.say({ host: '', body: 'heartbeat', heartbeat: { sequence: left } });
      await rig.clock.advance(Math.min(10, left) * SECOND);
    }
  };
  return { ...rig, stream, send, answer, pass };
}

test('of what a host is to remove it learns no more than what it is', async () => {
  const { stream, send, fleet } = await attached();
  send('ensure');
  await settle();
  expect(JSON.stringify(stream.last('command'))).toContain('SECRET');
  send('remove');
  await settle();
  expect(stream.last('command')?.command.steps).toEqual([
    { id: 's', verb: 2, resource: { kind: 'seed', id: 'o.seed', owner: 'o', spec: '{}' } },
  ]);
  fleet.close();
});

test('a command that is not answered in time has failed, and may be sent again; its late answer is none', async () => {
  const { send, answer, pass, fleet, clock } = await attached();
  const removal = send('remove');
  await pass(commandSeconds - 1);
  expect(fleet.silenceOf('h')).toBeUndefined();
  await pass(1);
  await expect(removal).rejects.toMatchObject({ reason: 'HostNotAnswering', retry: 'retry' });
  // What is to go keeps nothing from being made.
  expect(fleet.silenceOf('h')).toBeUndefined();
  answer();
  const again = send('remove');
  await settle();
  answer();
  expect(await again).toEqual([{ step: 's' }]);
  fleet.close();
  await clock.advance(0);
  expect(clock.timers).toBe(0);
});

test('a host that did not say what became of what it was to make gets nothing new for a while, and longer each time', async () => {
  const { send, answer, pass, fleet } = await attached();
  const told: string[] = [];
  fleet.onChange((change) => change.type === 'host' && told.push(change.host));
  send('ensure');
  send('ensure');
  await pass(slowCommandSeconds);
  expect([fleet.isSlow('h'), fleet.silenceOf('h')]).toEqual([true, undefined]);
  expect(told).toEqual(['h']);
  await pass(commandSeconds - slowCommandSeconds);
  const silence = { reason: 'HostNotAnswering', message: /plumb host fence h --confirmed-off/ };
  expect(fleet.silenceOf('h')).toMatchObject(silence);
  expect(fleet.isSlow('h')).toBe(false);
  // What it does meanwhile is no reason to give it more.
  send('ensure');
  await settle();
  answer();
  await pass(silentHostSeconds - 10);
  expect(fleet.silenceOf('h')).toBeDefined();
  await pass(10);
  expect(fleet.silenceOf('h')).toBeUndefined();
  expect(told).toHaveLength(4);
  send('ensure');
  await pass(commandSeconds);
  await pass(2 * silentHostSeconds - 10);
  expect(fleet.silenceOf('h')).toBeDefined();
  fleet.forgive('h');
  expect(fleet.silenceOf('h')).toBeUndefined();
  fleet.close();
});

test('a slow host gets nothing new until it has answered', async () => {
  const { send, answer, pass, fleet, clock } = await attached();
  send('ensure');
  await pass(slowCommandSeconds);
  expect(fleet.isSlow('h')).toBe(true);
  answer();
  await settle();
  expect([fleet.isSlow('h'), fleet.silenceOf('h')]).toEqual([false, undefined]);
  // To remove something may take as long as it likes, and to fetch an image.
  send('remove');
  send('ensure', image);
  await pass(slowCommandSeconds);
  expect(fleet.isSlow('h')).toBe(false);
  fleet.close();
  await clock.advance(0);
});

test('an image may take its time', async () => {
  const { send, answer, pass, fleet } = await attached();
  const fetched = send('ensure', image);
  await pass(commandSeconds + 900);
  answer();
  expect(await fetched).toEqual([{ step: 's' }]);
  fleet.close();
});

test.each(['fails', 'refuses', 'notes'])(
  'what a host says of a secret that it was given is not passed on: it %s',
  async (how) => {
    const { stream, send, fleet } = await attached();
    const secret = 'hunter2-of-a-tenant';
    const url = 'https://me:s3cr3tpass@example.org/a';
    for (const resource of [
      { ...seed, spec: { ...seed.spec, userData: `#cloud-config\npassword: ${secret}\n` } },
      { ...image, spec: { ...image.spec, url } },
    ] as HostResource[]) {
      const said = send('ensure', resource);
      await settle();
      const { id } = stream.last('command')!.command;
      const message = `it says ${secret} and ${url}, and is angry`;
      const step = { step: 's', ok: how === 'notes', reason: 'Angry', message, terminal: true };
      const refused = how === 'refuses' ? { reason: 'Angry', message, terminal: true } : null;
      stream.say({ host: 'h', body: 'result', result: { command: id, steps: [step], refused } });
      const heard = await said.then(
        ([outcome]) => `${outcome?.error?.message} ${outcome?.note}`,
        (error) => error.message,
      );
      expect(heard).toContain('and is angry');
      expect(heard).not.toContain(resource.kind === 'seed' ? secret : 's3cr3tpass');
    }
    fleet.close();
  },
);

test('what only the host may have is joined as it is commanded; what the host says of it is not repeated', async () => {
  const { userData: _, ...spec } = seed.spec;
  const planned: HostResource<'seed'> = {
    ...seed,
    spec: { ...spec, userDataFrom: { secret: 'default/web', key: 'a', hash: 'h' } },
  };
  const text = 'the-text-of-the-secret';
  let known = true;
  const join = <R extends HostResource>(resource: R): R => {
    if (!known) throw retryable('ReferenceNotFound', 'there is no Secret default/web');
    return resource.kind === 'seed' ? { ...resource, spec: { ...resource.spec, userData: text } } : resource;
  };
  const { stream, send, fleet } = await attached({ join });
  const said = send('ensure', planned);
  await settle();
  const { id, steps } = stream.last('command')!.command;
  expect(JSON.parse(steps[0]!.resource!.spec)).toMatchObject({ userData: text, userDataFrom: { key: 'a' } });
  const step = { step: 's', ok: false, reason: 'Broken', message: `cannot write ${text}`, terminal: true };
  stream.say({ host: 'h', body: 'result', result: { command: id, steps: [step] } });
  expect(JSON.stringify((await said)[0]!.error!.message)).not.toContain(text);
  send('remove', planned);
  await settle();
  expect(JSON.stringify(stream.last('command'))).not.toContain(text);
  known = false;
  await expect(send('ensure', planned)).rejects.toMatchObject({ reason: 'ReferenceNotFound' });
  fleet.close();
});
