/** `plumb server` and `plumb agent`: the programs that run for long. */
import { flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { onOutputEnd } from '@plumb/cli/output-end.ts';
import { PlumbError } from '@plumb/schemas/meta/error.ts';

process.exitCode = await main(process.argv.slice(2)).catch((thrown) => {
  const error = PlumbError.from(thrown, 'plumb');
  process.stderr.write(`plumb: ${error.message.replace(/^plumb: /, '')}\n`);
  return 1;
});

async function main(argv: string[]): Promise<number> {
  const [program, ...rest] = argv;
  // What serves goes on when nothing reads its log any more.
  const exit = (code: number) => process.exit(code);
  onOutputEnd({ out: process.stdout, err: process.stderr, goesOn: () => true, exit });
  return program === 'server' ? server(rest) : (await import('@plumb/agent/agent-command.ts')).agentCommand(rest);
}

async function server(argv: string[]): Promise<number> {
  const { parseServerArguments, SERVER_USAGE } = await import('@plumb/reconciler/server-arguments.ts');
  let options: ReturnType<typeof parseServerArguments>;
  try {
    options = parseServerArguments(argv);
  } catch (error) {
    process.stderr.write(`plumb server: ${(error as Error).message}\n\n${SERVER_USAGE}`);
    return 2;
  }
  if (!options) {
    process.stdout.write(SERVER_USAGE);
    return 0;
  }
  const { watchForEnd } = await import('@plumb/schemas/meta/process-end.ts');
  let crashed: () => void = () => {};
  const end = watchForEnd('plumb server', { onCrash: () => crashed() });
  const { serve } = await import('@plumb/reconciler/main.ts');
  const { FATAL_REPORT } = await import('@plumb/reconciler/runtime/work-notes.ts');
  reportLackOfMemory(options.dataDir, FATAL_REPORT);
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const plane = await serve({
    ...options,
    kustomize: join(import.meta.dirname, '..', 'dist', 'kustomize', 'kustomize'),
    onCrash(told) {
      crashed = told;
    },
    onReady,
    onFatal: end.fatal,
  });
  process.stdout.write(`plumb server answers at ${plane.url}\n`);
  void ready.then(() => {
    process.stdout.write(
      `plumb server is ready at ${plane.url}\n  kubeconfig ${plane.kubeconfigFile}\n  join token ${plane.joinTokenFile ?? 'one for each host: plumb join-token create --host NAME'}\n`,
    );
    flushCompileCache();
  });
  const code = await end.wanted;
  await plane.close();
  return code;
}

/** Who runs out of memory cannot say so any more: Node leaves a report in the data folder, by which the next process knows. */
function reportLackOfMemory(folder: string, filename: string): void {
  const directory = resolve(folder);
  const parts = { compact: true, excludeEnv: true, excludeNetwork: true };
  Object.assign(process.report, { directory, filename, ...parts, reportOnFatalError: true });
}
