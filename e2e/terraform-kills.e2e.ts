/**
 * Terraform, the shim, the provider or the server killed with -9 at random moments of an apply: applied again, there is everything once,
 * nothing "already exists", nothing is tainted; and after a destroy nothing is left. `npm run soak -- --terraform-kills N --seed S` does it
 * more often.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { PENDING } from '@plumb/schemas/meta/pending.ts';
import { describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { HOST } from './harness/estate.ts';
import { terraform } from './harness/machinery.ts';
import { estateSession } from './harness/session.ts';
import { Workspace } from './provider/workspace.ts';

const ROUNDS = Number(process.env.PLUMB_TERRAFORM_KILLS ?? '8');
const SEED = process.env.PLUMB_KILLS_SEED ?? String(Date.now());
const INSTANCES = Number(process.env.PLUMB_TERRAFORM_KILLS_INSTANCES ?? '12');
/** From the first object on, an apply takes about three seconds on two idle cores. */
const LATEST_MS = 3_000;
const VICTIMS = ['terraform', 'shim', 'provider', 'server'] as const;
/** What is killed first, and after that at random. */
const CREATES = 8;
const WHAT = ['create', 'create', 'update', 'destroy'] as const;
/** How long the server waits for the next word of who makes something. */
const LIMITS = { pendingCreateSeconds: 4 };

/** Uniform in [0, 1), decided by the seed: a round that failed can be had again. */
function chance(round: number, of: string): number {
  return createHash('sha256').update(`${SEED} ${round} ${of}`).digest().readUInt32BE() / 2 ** 32;
}

describe.skipIf(!terraform)(`killed at random moments of an apply, seed ${SEED}`, () => {
  const session = estateSession({
    name: 'terraform-kills',
    driver: 'simulated',
    agentOptions: ['--cpus', '64', '--memory-mib', '65536', '--latency-ms', '100'],
    limits: LIMITS,
  });
  /** Kills that hit objects which were being made. */
  let hits = 0;
  let tried = 0;

  test.each(Array.from({ length: ROUNDS }, (_, round) => round))('round %i', async (round) => {
    const estate = session.estate();
    if (round === 0) await build();
    const victim = VICTIMS[round % VICTIMS.length]!;
    const workspace = new Workspace(terraform!.path, { KUBECONFIG: estate.kubeconfig });
    try {
      const what = round < CREATES ? 'create' : WHAT[Math.floor(chance(round, 'what') * WHAT.length)]!;
      workspace.declare(configuration(estate.image));
      await workspace.run(['validate']);
      if (what !== 'create') expect(await workspace.apply()).toMatchObject({ code: 0 });
      if (what === 'update') workspace.declare(configuration(estate.image, 'restart_policy = "Always"'));
      const first = (what === 'destroy' ? workspace.destroy() : workspace.apply()).catch((error: Error) => error);
      let over = false;
      void first.then(() => {
        over = true;
      });
      await appears(async () => over || (await estate.api.list('Zone')).length > 0);
      await delay(chance(round, 'moment') * LATEST_MS);
      if (what === 'create') tried++;
      hits += (await estate.api.list('Instance')).some(({ metadata }) => metadata.annotations?.[PENDING]) ? 1 : 0;
      if (victim === 'server') {
        await estate.kill('server');
        await estate.startServer();
      } else for (const pid of processesOf(workspace, victim)) process.kill(pid, 'SIGKILL');
      await first;

      const again = await workspace.apply();
      expect(again, again.said).toMatchObject({ code: 0 });
      expect(again.said).not.toContain('already exists');
      expect(again.said).not.toContain('tainted');
      expect(await workspace.plan()).toMatchObject({ code: 0 });
      const instances = await estate.api.list('Instance');
      const names = instances.map(({ metadata }) => metadata.name).sort();
      expect(names).toEqual(Array.from({ length: INSTANCES }, (_, i) => `web-${i}`).sort());
      // And Terraform knows of each of them.
      const known = Object.entries(workspace.uids('plumb_instance'));
      expect(known.map(([, uid]) => uid).sort()).toEqual(instances.map(({ metadata }) => metadata.uid).sort());
      await appears(async () =>
        (await estate.api.list('Instance')).every(({ metadata }) => metadata.annotations?.[PENDING] === undefined),
      );
      const destroyed = await workspace.destroy();
      expect(destroyed, destroyed.said).toMatchObject({ code: 0 });
      for (const kind of ['Instance', 'L3Network', 'L2Network', 'Image', 'InstanceOffering', 'Host', 'Zone'])
        expect(await estate.api.list(kind)).toEqual([]);
    } finally {
      workspace.close();
    }
  });

  test('most kills hit something that was being made', () => {
    // Else this tried nothing.
    expect(hits).toBeGreaterThanOrEqual(Math.floor(tried / 4));
  });
});

function configuration({ path, sha256, format }: { path: string; sha256: string; format: string }, more = ''): string {
  return `
provider "plumb" {
  stack = "kills"
}
resource "plumb_zone" "home" {
  name = "home"
}
resource "plumb_host" "host" {
  name = "${HOST}"
  zone = plumb_zone.home.name
  cpu_overcommit_ratio = 4
}
resource "plumb_l2_network" "lab" {
  name = "lab"
  zone = plumb_zone.home.name
  type = "vxlan"
  vni  = 100
}
resource "plumb_l3_network" "lab" {
  name       = "lab"
  l2_network = plumb_l2_network.lab.name
  ipv4       = { cidr = "10.20.0.0/24", gateway = "10.20.0.1" }
}
resource "plumb_instance_offering" "small" {
  name       = "small"
  cpus       = 1
  memory_mib = 128
}
resource "plumb_image" "tiny" {
  name   = "tiny"
  url    = "file://${path}"
  sha256 = "${sha256}"
  format = "${format}"
}
resource "plumb_instance" "web" {
  count      = ${INSTANCES}
  name       = "web-\${count.index}"
  zone       = plumb_zone.home.name
  offering   = plumb_instance_offering.small.name
  image      = plumb_image.tiny.name
  interfaces = [{ name = "eth0", l3_network = plumb_l3_network.lab.name, addresses = ["10.20.0.\${count.index + 20}"] }]
  depends_on = [plumb_host.host]
  ${more}
}
`;
}

/** Of the run of Terraform in the workspace. */
function processesOf(workspace: Workspace, victim: 'terraform' | 'shim' | 'provider'): number[] {
  if (victim === 'provider') return workspace.providers();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/cwd`) !== workspace.folder) return false;
        const isShim = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('terraform-provider-plumb');
        const isProvider = workspace.providers().includes(pid);
        return !isProvider && isShim === (victim === 'shim');
      } catch {
        return false; // It has ended meanwhile.
      }
    });
}

/** Resolves when it holds: nobody tells when, so that it is asked, often. */
async function appears(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await delay(30);
}
