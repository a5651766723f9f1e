import type { Clock } from '@plumb/schemas';
import { watchLines } from './watch-lines.ts';

export interface WatchOptions {
  /** Path of the network namespace to watch; that of this process, if absent. */
  networkNamespace?: string;
  clock: Clock;
  /** Called with the name of every interface that changed, came or went. */
  changed: (interfaceName: string) => void;
  /** Called when changes may have been missed. */
  missed: () => void;
}

/** `7: pt0123456789ab: <…` or `Deleted 7: pv0123456789ab@if2: <…`. */
const LINE = /^(?:\[[^\]]*\])?(?:Deleted )?\d+: ([^:@\s]+)[:@]/;

/** Watches the kernel's interfaces by one long-lived `ip monitor`. Returns a function that ends it. */
export function watchLinks({ networkNamespace, clock, changed, missed }: WatchOptions): () => void {
  return watchLines({
    command: ['ip', '-o', 'monitor', 'link'],
    ...{ networkNamespace, clock, missed },
    line(text) {
      const name = LINE.exec(text)?.[1];
      if (name !== undefined) changed(name);
    },
  });
}
