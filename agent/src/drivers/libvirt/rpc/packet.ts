/**
 * The frames of libvirt's RPC: a length that counts itself, six words of header, and the payload.
 * Source: libvirt, docs/kbase/internals/rpc.
 */
export const REMOTE_PROGRAM = 0x20008086;
export const KEEPALIVE_PROGRAM = 0x6b656570;
const VERSION = 1;
const HEADER_BYTES = 28;
/** libvirt's own bound of a message. */
const MAX_PACKET_BYTES = 32 * 1024 * 1024 + 28;

/** Direction and meaning of a packet. */
export const packetType = { call: 0, reply: 1, message: 2 } as const;
/** Outcome that a reply tells. */
export const packetStatus = { ok: 0, error: 1 } as const;

export interface Packet {
  program: number;
  procedure: number;
  type: number;
  serial: number;
  status: number;
  payload: Buffer;
}

export function encodePacket(packet: Packet): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(HEADER_BYTES + packet.payload.length, 0);
  header.writeUInt32BE(packet.program, 4);
  header.writeUInt32BE(VERSION, 8);
  header.writeInt32BE(packet.procedure, 12);
  header.writeInt32BE(packet.type, 16);
  header.writeUInt32BE(packet.serial, 20);
  header.writeInt32BE(packet.status, 24);
  return Buffer.concat([header, packet.payload]);
}

/** Cuts a byte stream into packets; chunks may end anywhere. */
export class PacketCutter {
  /** Chunks of a packet that is not whole yet: put together once, when it is. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes that must be there before there is something to read. */
  #wanted = 4;

  /** Returns the packets that this chunk completes. Throws RangeError at a length that no packet has. */
  push(chunk: Buffer): Packet[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return [];
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const packets: Packet[] = [];
    this.#wanted = 4;
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length < HEADER_BYTES || length > MAX_PACKET_BYTES) throw new RangeError(`a packet of ${length} bytes`);
      if (rest.length < length) {
        this.#wanted = length;
        break;
      }
      packets.push(decode(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return packets;
  }
}

function decode(frame: Buffer): Packet {
  return {
    program: frame.readUInt32BE(4),
    procedure: frame.readInt32BE(12),
    type: frame.readInt32BE(16),
    serial: frame.readUInt32BE(20),
    status: frame.readInt32BE(24),
    payload: frame.subarray(HEADER_BYTES),
  };
}
