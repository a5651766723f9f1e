/** The Terraform provider as a process of its own, for machines without Go to build what Terraform would start. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tail } from './control-plane.ts';
import { endProcess, processAt, type Started, startProcess } from './processes.ts';
import { NODE, ROOT } from './setup.ts';

export interface AttachedProvider {
  process: Started;
  /** Value of TF_REATTACH_PROVIDERS. */
  reattach: string;
}

/** Starts the provider. What its configuration leaves open, it takes from `kubeconfig`. */
export async function startProvider(options: { kubeconfig: string; log: string }): Promise<AttachedProvider> {
  const { kubeconfig, log } = options;
  const already = (await readFile(log, 'utf8').catch(() => '')).length; // The log of an earlier one goes on.
  const main = join(ROOT, 'provider/src/main.ts');
  const started = startProcess(NODE, [main, '--reattach'], { log, env: { KUBECONFIG: kubeconfig } });
  let ended = false;
  void started.exit.then(() => {
    ended = true;
  });
  for (let waited = 0; waited < 20_000 && !ended; waited += 50) {
    const said = (await readFile(log, 'utf8')).slice(already);
    const reattach = said.match(/^TF_REATTACH_PROVIDERS='(.*)'$/m)?.[1];
    if (reattach) return { process: started, reattach };
    await delay(50); // It says so in its log; nobody is told when.
  }
  throw new Error(`the provider did not start; it said:\n${await tail(log)}`);
}

/**
 * Ends the provider's process that serves Terraform from `runtimeDir`; by itself it would wait a minute for the next run.
 * The shim leaves its number beside its socket.
 */
export async function endProvider(runtimeDir: string): Promise<void> {
  const folder = join(runtimeDir, 'plumb-provider');
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.pid')) continue;
    const record = processAt(Number(await readFile(join(folder, name), 'utf8')));
    const command = record && (await readFile(`/proc/${record.pid}/cmdline`, 'utf8').catch(() => ''));
    if (record && command?.includes(folder)) await endProcess(record, 0);
  }
}
