/** The whole of it on one machine: libvirtd, control plane, agent and Terraform, brought up step by step. */

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AgentOptions, serverUrl, startAgent, startServer } from '../control-plane.ts';
import { type Libvirtd, privateLibvirtd } from '../libvirtd.ts';
import { startProvider } from '../provider.ts';
import { Quickstart } from '../quickstart.ts';
import { CACHE, type Setup } from '../setup.ts';
import type { Steps } from '../steps.ts';
import { asTyped } from '../typed.ts';
import type { StartOptions } from './options.ts';
import type { Session } from './session.ts';

export const HOST = 'host-1';

export interface Cloud {
  libvirtd: Libvirtd | undefined;
  quickstart: Quickstart;
  kubeconfig: string;
  /** Where the agent keeps images and disks. */
  agentDir: string;
}

export interface Parts {
  options: StartOptions;
  setup: Setup;
  session: Session;
  libvirtd: Libvirtd | undefined;
  signal: AbortSignal;
}

/** A libvirtd in the data folder, beside whatever the machine has. */
export function bringUpLibvirtd(steps: Steps, dataDir: string): Promise<Libvirtd> {
  return steps.run('libvirtd', `read ${asTyped(join(dataDir, 'libvirt/libvirtd.log'))}`, async (step) => {
    const folder = join(dataDir, 'libvirt');
    const files = join(dataDir, 'agent');
    const libvirtd = await privateLibvirtd({ folder, capabilities: join(CACHE, 'libvirt'), files });
    step.note('a private one: the machine’s own guests are not touched');
    return libvirtd;
  });
}

/** Starts server and agent, and prepares the folder in which Terraform works. Everything started is in the session. */
export async function bringUp(steps: Steps, parts: Parts): Promise<Cloud> {
  const { options, session, setup, libvirtd, signal } = parts;
  if (!setup.terraform) throw new Error('Terraform was not set up');
  const { dataDir, port } = options;
  const log = (name: string) => join(dataDir, `${name}.log`);
  const remember = async (started: { pid: number; started: string }) => {
    session.record.processes.push({ pid: started.pid, started: started.started });
    await session.save();
  };
  await steps.run(
    'Control plane',
    `read ${asTyped(log('server'))}; if another program has the port, choose one: --port`,
    async (step) => {
      await remember(await startServer({ dataDir, port, log: log('server') }));
      step.note(`${serverUrl(port)}, store in ${asTyped(dataDir)}`);
    },
  );
  const image = setup.image ? { ...setup.image, format: 'qcow2' as const } : await simulatedImage(dataDir);
  await mkdir(join(dataDir, IMAGES), { recursive: true, mode: 0o755 });
  const agent: AgentOptions = {
    server: serverUrl(port),
    tokenFile: join(dataDir, 'join-token'),
    dataDir: join(dataDir, 'agent'),
    host: HOST,
    log: log('agent'),
    libvirtSocket: libvirtd?.socket,
    imageFolders: [dirname(image.path), join(dataDir, IMAGES)],
  };
  await steps.run('Agent', `read ${asTyped(log('agent'))}`, async (step) => {
    await remember(startAgent(agent));
    step.note(`${HOST}, ${libvirtd ? 'libvirt' : 'simulated'}`);
  });
  const kubeconfig = join(dataDir, 'kubeconfig');
  const reattach = setup.shim
    ? undefined
    : await attachedProvider(steps, { kubeconfig, log: log('provider'), remember });
  const quickstart = new Quickstart({
    folder: join(dataDir, 'quickstart'),
    terraform: setup.terraform.path,
    ...{ image, kubeconfig, host: HOST, signal, reattach, runtimeDir: options.ownFolder ? dataDir : undefined },
  });
  await quickstart.prepare();
  return { libvirtd, quickstart, kubeconfig, agentDir: agent.dataDir };
}

/** Without Go there is no native program that Terraform could start: it is told of a provider that runs already. */
function attachedProvider(
  steps: Steps,
  options: { kubeconfig: string; log: string; remember: (started: { pid: number; started: string }) => Promise<void> },
): Promise<string> {
  return steps.run('Provider', `read ${asTyped(options.log)}`, async (step) => {
    const provider = await startProvider(options);
    await options.remember(provider.process);
    step.note('runs beside the control plane; Terraform attaches to it, because Go is missing to build the shim');
    return provider.reattach;
  });
}

/** In the data folder: where a person puts images of his own. */
const IMAGES = 'images';

/** A simulated host looks at the image's sum and size only. */
async function simulatedImage(dataDir: string): Promise<{ path: string; sha256: string; format: 'raw' }> {
  const path = join(dataDir, IMAGES, 'simulated.img');
  const content = 'A simulated host starts from this as if it were a disk image.\n';
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex'), format: 'raw' };
}
