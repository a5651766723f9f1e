import { readOverlayHeader, readQcow2Header } from '@plumb/agent/storage/qcow2-header.ts';
import { anyBytes, mutatedBytes } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

/** A header of version 3 as qemu-img writes it, with the name of a backing format. */
function sample(): Buffer {
  const header = Buffer.alloc(512);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(1n << 30n, 24);
  header.writeUInt32BE(16, 36);
  header.writeUInt32BE(104, 100);
  header.writeUInt32BE(0xe2792aca, 104);
  header.writeUInt32BE(5, 108);
  header.write('qcow2', 112);
  return header;
}

/** Headers of images, which strangers write. */
export const qcow2: FuzzTarget<Buffer> = {
  name: 'qcow2',
  make: (dice) => (dice.chance(0.05) ? anyBytes(dice, 600) : mutatedBytes(dice, sample())),
  run(header) {
    const overlay = readOverlayHeader(header);
    if (overlay && overlay.backingFile.length > header.length) return new Wrong('reads beyond the header');
    const bytes = readQcow2Header(header);
    if (header.readBigUInt64BE(8) !== 0n) return new Wrong('takes a backing file');
    return bytes;
  },
  show: (header) => header.toString('hex'),
};
