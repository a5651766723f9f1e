import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

const PATIENCE_MS = 2_000;

/**
 * The IPv4 address from which this machine reaches `host`, as the kernel routes it; nothing is sent. Where that is none that
 * others can reach (the server is on this machine, or is reached with IPv6): the first of this machine that is, or its loopback.
 */
export async function ownAddress(host: string): Promise<string> {
  const towards = await localAddress(host);
  if (towards !== undefined && isIPv4(towards) && !towards.startsWith('127.') && towards !== '0.0.0.0') return towards;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

function localAddress(host: string): Promise<string | undefined> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const { promise: found, resolve } = Promise.withResolvers<string | undefined>();
  const patience = setTimeout(() => resolve(undefined), PATIENCE_MS);
  socket.on('error', () => resolve(undefined));
  // Any port will do: connecting a UDP socket only asks the kernel for a route.
  socket.connect(9, host, () => resolve(socket.address().address));
  return found.finally(() => {
    clearTimeout(patience);
    socket.close();
  });
}
