/** Whether the quickstart does what it declares, and whether it goes without a trace. */
import { join } from 'node:path';
import { traces } from '../residue.ts';
import { run } from '../run.ts';
import { NODE, ROOT } from '../setup.ts';
import type { Steps } from '../steps.ts';
import { asTyped } from '../typed.ts';
import { type Cloud, HOST } from './cloud.ts';
import { declared, declaredName } from './declared.ts';
import { networkNamespaceWith } from './network.ts';

/** Declared in examples/terraform/quickstart. */
export const GATEWAY = '10.20.0.1';
export const GUESTS = [
  { name: 'web-0', address: '10.20.0.11' },
  { name: 'web-1', address: '10.20.0.12' },
];

/** A guest that is emulated boots in seconds; two at once on a busy machine take longer. */
const BOOT_SECONDS = 90;

export async function verify(steps: Steps, cloud: Cloud): Promise<void> {
  if (cloud.libvirtd)
    await steps.run('Guests answer', `read the consoles of the guests in ${asTyped(cloud.agentDir)}`, async (step) => {
      const namespace = await networkNamespaceWith(GATEWAY, { agentDir: cloud.agentDir, host: HOST });
      for (const { name, address } of GUESTS) {
        const greeting = await greetFrom(namespace, address);
        step.line(greeting);
        if (!greeting.startsWith(`${name} ${address} `))
          throw new Error(`${address} should be held by ${name}, and this answered: ${greeting}`);
      }
      step.note('at the addresses that were declared');
    });
  await steps.run('Second plan', 'compare it with what was applied: it should change nothing', async (step) => {
    const changes = await cloud.quickstart.changes();
    if (changes !== undefined) throw new Error(`a second plan would change something:\n${changes}`);
    step.note('No changes');
  });
}

/** Waits for a guest that still boots. Rejects when nobody answers. */
export async function greetFrom(namespace: string, address: string, waitSeconds = BOOT_SECONDS): Promise<string> {
  const script = join(ROOT, 'scripts/greet.ts');
  const ask = [NODE, script, '--wait', String(waitSeconds), address];
  const { stdout } = await run('ip', ['netns', 'exec', namespace, ...ask]);
  return stdout.trim();
}

/** Of real hosts, everything by which an agent marks what is its own; simulated ones hold nothing that outlives their agent. */
export async function checkNothingLeft(steps: Steps, { libvirtd, agentDir, kubeconfig }: Cloud): Promise<void> {
  await steps.run('Nothing is left', 'read agent.log for why, and remove what is named by hand', async (step) => {
    const remains = libvirtd
      ? await traces({ agentDir, host: HOST, virshUri: libvirtd.virshUri })
      : (await declared(kubeconfig)).map(declaredName);
    if (remains.length > 0) throw new Error(`still there after destroy:\n${remains.join('\n')}`);
    step.note(libvirtd ? 'no guest, link, namespace, table, process or file' : 'no object of any kind is declared');
  });
}
