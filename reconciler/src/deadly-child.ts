/**
 * A control plane on the data folder argv[2] with a fault: when its controller looks at the zone `deadly`, the process ends
 * as argv[3] says. deadly.test.ts starts it. Says `serves URL KUBECONFIG` when everything is loaded.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '..', '..', '.cache', 'compiled'));
const { watchForEnd } = await import('@plumb/schemas/meta/process-end.ts');
const { serve } = await import('./main.ts');
const { ObjectCache } = await import('./runtime/cache.ts');
const { FATAL_REPORT } = await import('./runtime/work-notes.ts');

const [dataDir = '', fault = ''] = process.argv.slice(2);
const DEADLY = '/objects/zones//deadly';

const faults: Record<string, () => void> = {
  // As a mistake in a callback does, outside of everything that catches.
  throws: () => process.nextTick(() => Reflect.get(undefined as never, 'length')),
  'eats all memory': () => {
    const eaten: number[][] = [];
    setImmediate(() => {
      for (;;) eaten.push(new Array(1_000_000).fill(1.5));
    });
  },
};

const { get } = ObjectCache.prototype;
ObjectCache.prototype.get = function (this: typeof ObjectCache.prototype, key: string) {
  const found = get.call(this, key);
  if (found && key === DEADLY) faults[fault]?.();
  return found;
} as typeof get;

let crashed: () => void = () => {};
const end = watchForEnd('the child', { onCrash: () => crashed() });
Object.assign(process.report, { directory: dataDir, filename: FATAL_REPORT, reportOnFatalError: true });
const plane = await serve({
  dataDir,
  listen: { host: '127.0.0.1', port: 0 },
  log: () => {},
  onFatal: end.fatal,
  onCrash(told) {
    crashed = told;
  },
  onReady: () => setImmediate(() => process.stdout.write(`serves ${plane.url} ${plane.kubeconfigFile}\n`)),
});
await end.wanted;
await plane.close();
process.exit(0);
