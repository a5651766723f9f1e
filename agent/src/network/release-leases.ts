/**
 * Has the DHCP server of a subnet forget leases, as its guests would by DHCPRELEASE (RFC 2131 section 4.4.6). A program of
 * its own, since it speaks from the subnet's network namespace: dnsmasq has no other way that leaves its answers to
 * others alone.
 *
 *   node release-leases.ts 10.20.0.1 52:54:00:00:00:11=10.20.0.11 …
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const SERVER_PORT = 67;
/** Sent from the server's own address, a broadcast leaves by its leg, and comes back to it as if heard there. */
const EVERYBODY = '255.255.255.255';

export function releaseMessage(server: string, macAddress: string, address: string): Buffer {
  const message = Buffer.alloc(300);
  message.set([1, 1, 6], 0); // BOOTREQUEST, Ethernet, six bytes
  message.set(bytes(address), 12);
  message.set(
    macAddress.split(':').map((byte) => Number.parseInt(byte, 16)),
    28,
  );
  message.writeUInt32BE(0x63825363, 236);
  message.set([53, 1, 7, 54, 4, ...bytes(server), 255], 240); // DHCPRELEASE, to this server
  return message;
}

function bytes(address: string): number[] {
  return address.split('.').map(Number);
}

async function release(server: string, leases: readonly string[]): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind({ address: server, port: 0 });
  await once(socket, 'listening');
  socket.setBroadcast(true);
  for (const lease of leases) {
    const [macAddress = '', address = ''] = lease.split('=');
    await new Promise<void>((resolve, reject) =>
      socket.send(releaseMessage(server, macAddress, address), SERVER_PORT, EVERYBODY, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }
  socket.close();
}

if (import.meta.main) {
  const [server = '', ...leases] = process.argv.slice(2);
  await release(server, leases);
}
