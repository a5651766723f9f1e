import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '@plumb/schemas';

export interface WatchOptions {
  /** Path of the network namespace to watch; that of this process, if absent. */
  networkNamespace?: string;
  clock: Clock;
  /** Called with the name of every interface that changed, came or went. */
  changed: (interfaceName: string) => void;
  /** Called when changes may have been missed. */
  missed: () => void;
}

const START_AGAIN_MS = 1_000;
/** `7: pt0123456789ab: <…` or `Deleted 7: pv0123456789ab@if2: <…`. */
const LINE = /^(?:\[[^\]]*\])?(?:Deleted )?\d+: ([^:@\s]+)[:@]/;

/** Watches the kernel's interfaces by one long-lived `ip monitor`. Returns a function that ends it. */
export function watchLinks(options: WatchOptions): () => void {
  const command = ['ip', '-o', 'monitor', 'link'];
  const [program = '', ...args] = options.networkNamespace
    ? ['nsenter', `--net=${options.networkNamespace}`, '--', ...command]
    : command;
  let stopped = false;
  let end = () => {};
  const start = () => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface(child.stdout).on('line', (line) => {
      const name = LINE.exec(line)?.[1];
      if (name !== undefined) options.changed(name);
    });
    child.on('error', () => {}); // `close` follows.
    child.on('close', () => {
      if (stopped) return;
      end = options.clock.after(START_AGAIN_MS, () => {
        start();
        options.missed();
      });
    });
    end = () => child.kill();
  };
  start();
  return () => {
    stopped = true;
    end();
  };
}
