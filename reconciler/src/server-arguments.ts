/** What `plumb server` is told. */
import { parseArgs } from 'node:util';
import { terminal } from '@plumb/schemas';
import { readLimits } from '@plumb/schemas/limits/read.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { rangesOf } from './api/door/origin.ts';

export const SERVER_USAGE = `plumb server --data-dir DIR [--listen 127.0.0.1:7443] [--limits FILE] [--trusted-proxy CIDR]…
             [--encryption-key-file FILE]

Runs the control plane: API and agents on one port. Writes DIR/kubeconfig (admin); on a loopback
address DIR/join-token as well, with which any host of this machine joins. Others: plumb join-token create.

  --limits FILE          bounds on what comes from outside, as JSON; "plumb limits" lists them
  --trusted-proxy CIDR   addresses of a proxy before the server, which passes TCP on and says with PROXY protocol v2
                         where each connection comes from; may be given several times
  --encryption-key-file FILE
                         keys that encrypt Secrets in the store, one a line: 32 random bytes in base64; the first one
                         encrypts, all decrypt. Without it the server makes DIR/encryption-keys
`;

export interface ServerArguments {
  dataDir: string;
  listen: { host: string; port: number };
  limits: ServerLimits;
  trustedProxies: string[];
  encryptionKeyFile: string | undefined;
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

/** `host:port`, `[v6]:port` or `:port`, which means all addresses. */
function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw terminal('BadArgument', `--listen must be ADDRESS:PORT, e.g. 127.0.0.1:7443, but is ${text}`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}
