/** What a person sees when the quickstart runs: a table of it, and three commands that work as they stand. */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PLUMB } from '../control-plane.ts';
import { findProgram } from '../machine.ts';
import { run } from '../run.ts';
import { NODE, ROOT } from '../setup.ts';
import type { Steps } from '../steps.ts';
import { asTyped, quoted } from '../typed.ts';
import { type Cloud, HOST } from './cloud.ts';
import { networkNamespaceWith } from './network.ts';
import type { StartOptions } from './options.ts';
import { GATEWAY, GUESTS } from './verify.ts';

const SHOWN = ['hosts', 'l3networks', 'images', 'instances'];

export async function showCloud(steps: Steps, cloud: Cloud, options: StartOptions): Promise<void> {
  for (const kind of SHOWN) steps.say(`\n${await table(cloud, kind)}`);
  const env = await writeEnvironment(cloud, options);
  const commands = await worthTrying(cloud);
  steps.say(`\nTry this in another terminal:\n\n  . ${env}`);
  for (const { why, command } of commands) steps.say(`\n  # ${why}\n  ${command}`);
  steps.say('');
}

async function table(cloud: Cloud, kind: string): Promise<string> {
  const { stdout } = await run(NODE, [PLUMB, 'get', kind], { env: { KUBECONFIG: cloud.kubeconfig } });
  return `${kind}\n${stdout.trimEnd().replace(/^/gm, '  ')}`;
}

/** A file to be sourced: how kubectl, plumb, virsh and Terraform find what runs here. */
async function writeEnvironment({ quickstart, libvirtd }: Cloud, { dataDir }: StartOptions): Promise<string> {
  const file = join(dataDir, 'env');
  const { TF_IN_AUTOMATION: _, ...shown } = quickstart.env;
  if (libvirtd) shown.LIBVIRT_DEFAULT_URI = libvirtd.virshUri;
  const lines = Object.entries(shown).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  lines.push(`plumb() { ${quoted(NODE)} ${quoted(PLUMB)} "$@"; }\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return asTyped(file);
}

async function worthTrying(cloud: Cloud): Promise<{ why: string; command: string }[]> {
  const { quickstart } = cloud;
  const program = basename(quickstart.terraform);
  const known = (await findProgram(program)) === quickstart.terraform;
  const terraform = `${known ? program : asTyped(quickstart.terraform)} -chdir=${asTyped(quickstart.folder)}`;
  const [first] = GUESTS;
  const third = {
    why: 'Edit main.tf there, or simply ask for a third instance, and apply again.',
    command: `${terraform} apply -var instances=3`,
  };
  if (!cloud.libvirtd || !first)
    return [
      { why: 'Look closer.', command: `plumb describe instance ${first?.name}` },
      third,
      {
        why: 'See what a change would do before it is made.',
        command: `${terraform} plan -var instances=1`,
      },
    ];
  const namespace = await networkNamespaceWith(GATEWAY, { agentDir: cloud.agentDir, host: HOST });
  return [
    {
      why: 'Ask a guest who it is, from inside its network.',
      command: `ip netns exec ${namespace} ${asTyped(NODE)} ${asTyped(join(ROOT, 'scripts/greet.ts'))} --wait 30 ${first.address}`,
    },
    {
      why: 'Pull the plug of a guest, and read how it came back.',
      command: `virsh destroy default.${first.name}; sleep 2; plumb describe instance ${first.name}`,
    },
    third,
  ];
}
