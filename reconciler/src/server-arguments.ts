/** What `plumb server` is told. */
import { parseArgs } from 'node:util';
import { terminal } from '@plumb/schemas';
import { readLimits } from '@plumb/schemas/limits/read.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { isSource, type SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';
import { rangesOf } from './api/door/origin.ts';

export const SERVER_USAGE = `plumb server --data-dir DIR [--listen 127.0.0.1:7443] [--limits FILE] [--trusted-proxy CIDR]…
             [--encryption-key-file FILE]
             [--git-folder DIR]… [--git-source CIDR|HOST]…

Runs the control plane: API and agents on one port. Writes DIR/kubeconfig (admin); on a loopback
address DIR/join-token as well, with which any host of this machine joins. Others: plumb join-token create.

  --limits FILE          bounds on what comes from outside, as JSON; "plumb limits" lists them
  --trusted-proxy CIDR   addresses of a proxy before the server, which passes TCP on and says with PROXY protocol v2
                         where each connection comes from; may be given several times
  --encryption-key-file FILE
                         keys that encrypt Secrets in the store, one a line: 32 random bytes in base64; the first one
                         encrypts, all decrypt. Without it the server makes DIR/encryption-keys
  --git-folder DIR       repositories of GitSources may lie below it; without one, none may be a file. The folder and what is
                         below it must be readable for others
  --git-source SOURCE    an address, a block of them (10.0.0.0/8) or a host name from which repositories may be fetched with
                         https; as soon as one is given, from nowhere else. Without one, from everywhere but this machine, its
                         link, metadata services and reserved addresses
`;

export interface ServerArguments {
  dataDir: string;
  listen: { host: string; port: number };
  limits: ServerLimits;
  trustedProxies: string[];
  encryptionKeyFile: string | undefined;
  gitRules: SourceRulesInit;
}

/** Undefined: help is wanted. Throws PlumbError `BadArgument` or `InvalidLimits` (terminal), for the person who typed them. */
export function parseServerArguments(argv: string[]): ServerArguments | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  return {
    dataDir: values['data-dir'],
    listen: parseListen(values.listen),
    limits: readLimits(values.limits).server,
    trustedProxies: trustedProxies(values['trusted-proxy']),
    encryptionKeyFile: values['encryption-key-file'],
    gitRules: gitRules(values['git-folder'], values['git-source']),
  };
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        'data-dir': { type: 'string', default: '.plumb' },
        listen: { type: 'string', default: '127.0.0.1:7443' },
        limits: { type: 'string' },
        'trusted-proxy': { type: 'string', multiple: true, default: [] },
        'encryption-key-file': { type: 'string' },
        'git-folder': { type: 'string', multiple: true, default: [] },
        'git-source': { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    // What follows the first sentence is about arguments that the server does not take.
    throw terminal('BadArgument', (error as Error).message.split('. ', 1)[0]!);
  }
}

/** The ranges, when all of them are such. */
function trustedProxies(cidrs: string[]): string[] {
  rangesOf(cidrs, '--trusted-proxy');
  return cidrs;
}

function gitRules(folders: string[], sources: string[]): SourceRulesInit {
  const wrong = sources.find((source) => !isSource(source));
  if (wrong !== undefined)
    throw terminal(
      'BadArgument',
      `--git-source must be an address, a block such as 10.0.0.0/8, or a host name, but is ${wrong}`,
    );
  return { folders, sources };
}

/** `host:port`, `[v6]:port` or `:port`, which means all addresses. */
function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw terminal('BadArgument', `--listen must be ADDRESS:PORT, e.g. 127.0.0.1:7443, but is ${text}`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}
