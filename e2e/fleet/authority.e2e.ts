/** Agents of a control plane whose authority is replaced while they run, or while they are away. */
import { copyFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { caPin, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bridge, connected, type Plane, Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const keptFile = () => join(stage.folder, 'agent/control-plane.crt');
/** What the agent keeps names this authority. */
const keeps = (pin: string) =>
  vi.waitFor(async () => {
    const text = await readFile(keptFile(), 'utf8');
    expect(caPin(text.slice(text.indexOf('-----BEGIN')))).toBe(pin);
  }, 10_000);
const pinOf = (plane: Plane) => plane.pki.authorityView().pin;
const replace = (plane: Plane) => plane.pki.replaceAuthority(Date.now());

test('an agent goes on, with its credential and all that lives on its host, also over several replacements', async () => {
  const plane = await stage.plane();
  const tokenFile = join(stage.folder, 'token');
  await copyFile(plane.pki.joinTokenFile!, tokenFile);
  const driver = stage.simulated();
  await driver.ensure(bridge('kept'));
  await stage.agent(plane, { 'host-1': driver }, { tokenFile });
  await connected(plane.fleet, 'host-1');
  const credential = async () =>
    JSON.parse(await readFile(join(stage.folder, 'agent/hosts/host-1.json'), 'utf8')).credential;
  const before = await credential();
  await keeps(pinOf(plane));
  // The second and the third come while the agent is cut off.
  for (const times of [1, 2]) {
    for (let i = 0; i < times; i++) await replace(plane);
    plane.cut();
    await keeps(pinOf(plane));
    await connected(plane.fleet, 'host-1');
  }
  expect([...plane.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/kept']);
  expect(await credential()).toBe(before);
});

test('a join token of before the replacement lets a new host in, which then believes the new authority alone', async () => {
  const plane = await stage.plane();
  const tokenFile = join(stage.folder, 'token');
  await copyFile(plane.pki.joinTokenFile!, tokenFile);
  const old = join(stage.folder, 'old');
  await cp(join(stage.folder, 'server'), old, { recursive: true });
  await replace(plane);
  const agent = await stage.agent(plane, { 'host-1': stage.simulated() }, { tokenFile });
  await connected(plane.fleet, 'host-1');
  await keeps(pinOf(plane));
  expect(parseJoinToken(await readFile(tokenFile, 'utf8')).caPin).not.toBe(pinOf(plane));

  // A thief with the old key answers in its place: the token names that key, and yet it is not believed.
  await plane.close();
  await stage.plane({ name: 'old', port: Number(new URL(plane.url).port) });
  await vi.waitFor(
    () => expect(agent.log.join('\n')).toContain('is not the one that the join token speaks of'),
    10_000,
  );
});

test('an authority that nobody vouched for is not believed, whatever it shows', async () => {
  const [plane, other] = [await stage.plane(), await stage.plane({ name: 'other' })];
  await replace(other);
  const tokenFile = join(stage.folder, 'token');
  const { secret } = parseJoinToken(await readFile(other.pki.joinTokenFile!, 'utf8'));
  await writeFile(tokenFile, `${secret}.${pinOf(plane)}`);
  const agent = await stage.agent(other, { 'host-1': stage.simulated() }, { tokenFile });
  await vi.waitFor(
    () => expect(agent.log.join('\n')).toContain('is not the one that the join token speaks of'),
    10_000,
  );
  expect(other.fleet.host('host-1')).toBeUndefined();
});
