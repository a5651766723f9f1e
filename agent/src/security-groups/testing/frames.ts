/** What comes behind the IPv4 header of a packet of the model, with right checksums: connection tracking looks at them. */
import { checksum, icmp, ip, u16, udp } from '../../network/isolation/frames.ts';
import type { Packet } from './model.ts';

export function payloadOf(packet: Packet): Buffer {
  const { protocol, sport = 0, dport = 0, type = 8, code = 0, id = 0 } = packet;
  if (protocol === 'ICMP') return icmp(type, code, Buffer.concat([u16(id, 1), Buffer.alloc(12)]));
  if (protocol === 'UDP') return udp(sport, dport);
  const isAnswer = packet.id === ANSWERED;
  const header = Buffer.concat([
    u16(sport, dport),
    Buffer.from([0, 0, 0, 1, 0, 0, 0, isAnswer ? 2 : 0, 0x50, isAnswer ? 0x12 : 0x02]),
    u16(1024, 0, 0),
  ]);
  const pseudo = Buffer.concat([ip(packet.from), ip(packet.to), u16(6, header.length)]);
  header.writeUInt16BE(checksum(Buffer.concat([pseudo, header])), 16);
  return header;
}

/** `id` of a segment of TCP that accepts a connection. */
export const ANSWERED = -1;
