/**
 * Runs in the copy of the sources that has the made-up kind: a server, an agent with simulated hosts, and a client of the API that
 * declares a Banner, changes it and deletes it. Prints what the hosts have after each step, as a line of JSON each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceHandler } from '@plumb/agent/drivers/libvirt/handler.ts';
import { SimulatedHost } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { runAgent } from '@plumb/agent/main.ts';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import { serve } from '@plumb/reconciler/main.ts';
import { type LiveResource, realAmbient } from '@plumb/schemas';

const GROUP = '/apis/plumb.dev/v1';
const PATIENCE_MS = 30_000;
const ambient = realAmbient();
const folder = mkdtempSync(join(tmpdir(), 'plumb-kind-'));
const dataDir = join(folder, 'server');
const fatal = (error: Error) => {
  throw error;
};
const server = await serve({ dataDir, listen: { host: '127.0.0.1', port: 0 }, log: () => {}, onFatal: fatal });
const client = clientFor(await findAccess(server.kubeconfigFile, {}), ambient);
const hosts = ['a', 'b', 'c'].map((name, index) => ({
  ...{ name, tunnelAddress: `198.18.0.${index + 1}` },
  driver: new SimulatedHost({ clock: ambient.clock, random: ambient.random, cpus: 4, memoryMiB: 4096 }),
}));
const post = (plural: string, kind: string, name: string, spec: object, labels?: object) =>
  client.send('POST', `${GROUP}/${plural}`, {
    body: { apiVersion: 'plumb.dev/v1', kind, metadata: { name, labels }, spec },
  });
const merge = (path: string, body: object) =>
  client.send('PATCH', `${GROUP}/${path}`, { body, type: 'application/merge-patch+json' });
const texts = () =>
  Object.fromEntries(
    hosts.map(({ name, driver }) => [name, [...driver.resources.values()].map(({ spec }) => Object(spec).text)]),
  );
const isReady = async (path: string) =>
  (await client.find(`${GROUP}/${path}`))?.status?.conditions?.some(
    ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True',
  );

async function shows(step: string, wanted: Record<string, string[]>, is: () => Promise<boolean> = async () => true) {
  const until = Date.now() + PATIENCE_MS;
  while (JSON.stringify(texts()) !== JSON.stringify(wanted) || !(await is())) {
    if (Date.now() > until) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log(JSON.stringify({ step, has: texts(), is: await is() }));
}

await post('zones', 'Zone', 'home', {});
for (const { name } of hosts) await post('hosts', 'Host', name, { zone: 'home' }, name === 'c' ? { quiet: 'yes' } : {});
const agent = await runAgent({
  ...{ server: server.url, hosts, ambient, log: () => {} },
  tokenFile: join(dataDir, 'join-token'),
  dataDir: join(folder, 'agent'),
});
const refused = await client.ask('POST', `${GROUP}/banners`, {
  body: { apiVersion: 'plumb.dev/v1', kind: 'Banner', metadata: { name: 'no' }, spec: { zone: 'home', text: '' } },
});
console.log(JSON.stringify({ step: 'refused', is: refused.status }));
await post('banners', 'Banner', 'hello', { zone: 'home', text: 'Hello' });
await shows('everywhere', { a: ['Hello'], b: ['Hello'], c: ['Hello'] }, () => isReady('banners/hello'));
await merge('banners/hello', { spec: { text: 'Good day', hostSelector: { matchLabels: { quiet: 'yes' } } } });
await shows('chosen', { a: [], b: [], c: ['Good day'] });
await merge('hosts/a', { metadata: { labels: { quiet: 'yes' } } });
await shows('labelled', { a: ['Good day'], b: [], c: ['Good day'] });
// Somebody removes it on the host: it comes back.
const [{ driver }] = hosts as [(typeof hosts)[number]];
const [live] = driver.resources.values();
await driver.remove(live!);
await shows('repaired', { a: ['Good day'], b: [], c: ['Good day'] });
const blocked = await client.ask('DELETE', `${GROUP}/zones/home`);
await client.send('DELETE', `${GROUP}/banners/hello`);
await shows('gone', { a: [], b: [], c: [] }, async () => (await client.find(`${GROUP}/banners/hello`)) === undefined);
console.log(JSON.stringify({ step: 'zone', is: blocked.status }));
// On a host with libvirt: what was made is found by a look at the host, and gone when it was removed.
const types: Record<string, unknown> = await import('@plumb/agent/drivers/libvirt/types/list.ts');
const handler = (types.banner as (parts: object) => ResourceHandler)({ dataDir: folder });
const found = async () => (await (handler.foundBy as () => Promise<LiveResource[]>)()).map(({ spec }) => spec);
const states = [await found()];
await handler.ensure({ ...live!, spec: { text: 'Hello' } } as never);
states.push(await found());
await handler.remove(live!.id);
states.push(await found());
console.log(JSON.stringify({ step: 'libvirt', is: states }));
await agent.stop();
client.close();
await server.close();
rmSync(folder, { recursive: true, force: true });
