#!/usr/bin/env node
/** The `plumb` command: the server and the agent are long-running programs, everything else is a client of the API. */
import { parseArgs } from 'node:util';
import { PlumbError, terminal } from '@plumb/schemas';

const SERVER_USAGE = `plumb server --data-dir DIR [--listen 127.0.0.1:7443]

Runs the control plane: API and agents on one port. Writes DIR/kubeconfig (admin) and DIR/join-token.
`;

process.exitCode = await main(process.argv.slice(2)).catch((thrown) => {
  const error = PlumbError.from(thrown, 'plumb');
  process.stderr.write(`plumb: ${error.message}\n`);
  return 1;
});

async function main(argv: string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === 'server') return server(rest);
  if (command === 'agent') return (await import('@plumb/agent/agent-command.ts')).agentCommand(rest);
  return (await import('@plumb/reconciler/cli/main.ts')).runCli(argv);
}

async function server(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      'data-dir': { type: 'string', default: '.plumb' },
      listen: { type: 'string', default: '127.0.0.1:7443' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(SERVER_USAGE);
    return 0;
  }
  const { serve } = await import('@plumb/reconciler/main.ts');
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(0));
  const plane = await serve({
    dataDir: values['data-dir'],
    listen: parseListen(values.listen),
    onFatal: (error) => {
      process.stderr.write(`plumb server: cannot go on: ${error.message}\n`);
      end(1);
    },
  });
  process.stdout.write(
    `plumb server is ready at ${plane.url}\n  kubeconfig ${plane.kubeconfigFile}\n  join token ${plane.joinTokenFile}\n`,
  );
  const code = await ended;
  await plane.close();
  return code;
}

/** `host:port`, `[v6]:port` or `:port`, which means all addresses. */
function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw terminal('InvalidArguments', `--listen must be ADDRESS:PORT, e.g. 127.0.0.1:7443, but is ${text}`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}
