import { PacketCutter } from '@plumb/agent/drivers/libvirt/rpc/packet.ts';
import { DOMAIN_EVENT_LIFECYCLE, domainEvent, Procedures } from '@plumb/agent/drivers/libvirt/rpc/procedures.ts';
import { XdrReader, XdrWriter } from '@plumb/agent/drivers/libvirt/rpc/xdr.ts';
import { anyBytes, mutatedBytes } from '../generate.ts';
import type { FuzzTarget } from '../target.ts';

interface Input {
  stream: Buffer;
  /** Where the stream is cut. */
  cuts: number[];
}

const UUID = Buffer.alloc(16, 7);
const payloads = [
  new XdrWriter().int(1).string('guest').fixed(UUID).int(5).int(2).int(1).finish(),
  new XdrWriter().uint(2).string('a').fixed(UUID).int(-1).string('b').fixed(UUID).int(3).uint(2).finish(),
  new XdrWriter().string('<domain><name>a</name></domain>').finish(),
  new XdrWriter().uint(1).uhyper(1n).uhyper(2n).int(4).finish(),
];

/** What libvirtd answers: frames of a stream that is cut anywhere, and what is in them. */
export const xdr: FuzzTarget<Input> = {
  name: 'xdr',
  make(dice) {
    const payload = dice.chance(0.1) ? anyBytes(dice, 64) : mutatedBytes(dice, dice.pick(payloads));
    const header = Buffer.alloc(28);
    header.writeUInt32BE(dice.chance(0.9) ? 28 + payload.length : dice.pick([0, 27, 28, 2 ** 25, 2 ** 32 - 1]));
    for (let word = 4; word < 28; word += 4) header.writeUInt32BE(dice.between(0, 2 ** 32 - 1), word);
    const frame = Buffer.concat([header, payload]);
    const stream = Buffer.concat(Array(dice.chance(0.02) ? 100 : dice.between(1, 3)).fill(frame));
    return { stream, cuts: Array.from({ length: dice.between(0, 5) }, () => dice.between(0, stream.length)) };
  },
  async run({ stream, cuts }) {
    const cutter = new PacketCutter();
    let from = 0;
    for (const to of [...cuts.sort((a, b) => a - b), stream.length]) {
      for (const { payload } of cutter.push(stream.subarray(from, to))) await readAll(payload);
      from = to;
    }
  },
  allows: isReadingFault,
  show: ({ stream, cuts }) => `${stream.toString('hex')} cut at ${cuts.join(', ')}`,
};

/** The payload as the answer to every call. */
async function readAll(payload: Buffer): Promise<void> {
  const libvirt = new Procedures(async () => new XdrReader(payload));
  const domain = { name: 'a', uuid: '07070707-0707-0707-0707-070707070707', id: 1 };
  const reads: (() => unknown)[] = [
    () => domainEvent(DOMAIN_EVENT_LIFECYCLE, new XdrReader(payload)),
    () => libvirt.diskErrors(domain),
    () => libvirt.listAllDomains(),
    () => libvirt.lookupByName('a'),
    () => libvirt.definitionXml(domain),
    () => libvirt.capabilities(),
    () => libvirt.info(domain),
    () => libvirt.state(domain),
    () => libvirt.isPersistent(domain),
  ];
  for (const read of reads)
    try {
      await read();
    } catch (error) {
      if (!isReadingFault(error)) throw error;
    }
}

function isReadingFault(thrown: unknown): boolean {
  return thrown instanceof RangeError && !/call stack/.test(thrown.message);
}
