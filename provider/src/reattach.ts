/** The provider as a process that Terraform is told to use (`TF_REATTACH_PROVIDERS`): no shim, no handshake. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Contacts } from '@plumb/client/contact.ts';
import { realAmbient } from '@plumb/schemas';
import { jsonLog, silent, wantsLogs } from './log.ts';
import { serveConnection } from './server.ts';
import { Session } from './session.ts';

/** The provider's addresses: Terraform's default registry and OpenTofu's. */
export const ADDRESSES = ['registry.terraform.io/plumb/plumb', 'registry.opentofu.org/plumb/plumb'] as const;

/** Serves, and prints on stdout what to put into the environment of Terraform. Ends on SIGINT and SIGTERM. */
export function serveReattach(): void {
  const ambient = realAmbient();
  const folder = mkdtempSync(join(tmpdir(), 'plumb-provider-'));
  const path = join(folder, 'socket');
  const log = wantsLogs(process.env) ? jsonLog((line) => process.stderr.write(line), ambient.clock.now) : silent;
  const contacts = new Contacts(ambient.clock);
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const run = { env: process.env, cwd: process.cwd(), workspace: 'default' };
    serveConnection(socket, new Session(ambient, run, log, contacts));
  });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));
  server.listen(path, () => {
    const config = {
      Protocol: 'grpc',
      ProtocolVersion: 6,
      Pid: process.pid,
      Test: true,
      Addr: { Network: 'unix', String: path },
    };
    const all = Object.fromEntries(ADDRESSES.map((address) => [address, config]));
    process.stdout.write(`TF_REATTACH_PROVIDERS='${JSON.stringify(all)}'\n`);
  });
}
