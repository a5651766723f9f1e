#!/usr/bin/env node
/** The `plumb` command: the server and the agent are long-running programs, everything else is a client of the API. */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';

// What was compiled once is loaded as it is: a start takes half of the time, and a server at rest 35 MiB less, because
// nothing that only compiling needs is ever loaded. Before anything else is imported; where it cannot write it does nothing.
enableCompileCache(join(import.meta.dirname, '..', '.cache', 'compiled'));
const { PlumbError } = await import('@plumb/schemas');

process.exitCode = await main(process.argv.slice(2)).catch((thrown) => {
  const error = PlumbError.from(thrown, 'plumb');
  process.stderr.write(`plumb: ${error.message.replace(/^plumb: /, '')}\n`);
  return 1;
});

async function main(argv: string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === 'server' || command === 'agent') {
    // What serves goes on when nothing reads its log any more.
    await listenToOutput(() => true);
    return command === 'server' ? server(rest) : (await import('@plumb/agent/agent-command.ts')).agentCommand(rest);
  }
  const { commandFirst, goesOnUnread, runCli } = await import('@plumb/cli/main.ts');
  const [word] = commandFirst(argv);
  await listenToOutput(() => goesOnUnread(word));
  return runCli(argv);
}

async function listenToOutput(goesOn: () => boolean): Promise<void> {
  const { onOutputEnd } = await import('@plumb/cli/output-end.ts');
  onOutputEnd({ out: process.stdout, err: process.stderr, goesOn, exit: (code) => process.exit(code) });
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
